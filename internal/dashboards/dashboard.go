package dashboards

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

// Dashboard is one page.
type Dashboard struct {
	// UID is the file's name and the end of the page's address.
	UID, Title, Description string
	Variables               []Variable
	Rows                    []Row
}

// Variable is a choice at the top of the page: a label's values.
type Variable struct {
	Name, Label string
	// Metric and LabelName are where the values come from; Filter are matchers on other variables.
	Metric, LabelName, Filter string
	// All lets all values be chosen at once, which is where the page begins.
	All bool
}

// Row is a titled group of panels.
type Row struct {
	Title  string
	Panels []Panel
}

// Panel is one graph, number or table.
type Panel struct {
	Title, Description string
	Kind               Kind
	// Unit is Grafana's name of it.
	Unit string
	// Width is of the 24 columns that a page has.
	Width   int
	Queries []Query
	// Link is the dashboard that a click leads to, with the labels of what was clicked.
	Link string
}

// Kind is how a panel looks.
type Kind string

// The kinds of panels.
const (
	Graph   Kind = "timeseries"
	Stat    Kind = "stat"
	Table   Kind = "table"
	Heatmap Kind = "heatmap"
)

// Query is one expression of a panel.
type Query struct {
	// Expr is PromQL with Grafana's variables in it.
	Expr string
	// Legend names a series, with labels in double braces; in a table it is the column's title.
	Legend string
	// Exemplars shows the traces behind a histogram.
	Exemplars bool
	// Unit is a table column's, where it is not the panel's.
	Unit string
}

// Queries are all expressions of the page, in order.
func (d *Dashboard) Queries() []Query {
	var all []Query
	for _, row := range d.Rows {
		for _, panel := range row.Panels {
			all = append(all, panel.Queries...)
		}
	}
	return all
}

// All are the pages. The error names every metric and label that does not exist.
func All(c *catalogue.Catalogue) ([]Dashboard, error) {
	b := builder{catalogue: c}
	all := []Dashboard{b.overview(), b.workflow(), b.step(), b.collector()}
	problems := b.problems
	for i := range all {
		problems = append(problems, all[i].check(c)...)
	}
	return all, errors.Join(problems...)
}

// Expand puts values in the place of Grafana's variables: interval for those of time, and values for those of the page.
func Expand(expr, interval string, values map[string]string) string {
	return grafanaVariable.ReplaceAllStringFunc(expr, func(found string) string {
		name := strings.Trim(found, "${}")
		if strings.HasPrefix(name, "__") {
			return interval
		}
		if value, known := values[name]; known {
			return value
		}
		return ".*"
	})
}

var (
	grafanaVariable = regexp.MustCompile(`\$(?:\w+|\{\w+\})`)
	legendLabel     = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

func (d *Dashboard) check(c *catalogue.Catalogue) (problems []error) {
	for _, v := range d.Variables {
		if _, err := c.Check(fmt.Sprintf("count by (%s) (%s{%s})", v.LabelName, v.Metric, Expand(v.Filter, "5m", nil))); err != nil {
			problems = append(problems, fmt.Errorf("%s: variable %s: %w", d.UID, v.Name, err))
		}
	}
	for _, row := range d.Rows {
		for _, panel := range row.Panels {
			for _, query := range panel.Queries {
				labels, err := c.Check(Expand(query.Expr, "5m", nil))
				for _, used := range legendLabel.FindAllStringSubmatch(query.Legend, -1) {
					if err == nil && !slices.Contains(labels, used[1]) {
						err = fmt.Errorf("the legend %q names the label %s, which the series have not", query.Legend, used[1])
					}
				}
				if err != nil {
					problems = append(problems, fmt.Errorf("%s: panel %q: %w", d.UID, panel.Title, err))
				}
			}
		}
	}
	return problems
}
