// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package grafana reads the exported dashboards of deploy/grafana, for tests.
package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

// Dashboard is a dashboard.
type Dashboard struct {
	UID, Title string
	Panels     []Panel
	Templating struct {
		List []Variable
	}
}

// Variable is a variable of a dashboard.
type Variable struct {
	Name, Label, Type, Definition string
	Multi                         bool
	Hide                          int
	Datasource                    Datasource
}

// Datasource is a data source, by type and variable.
type Datasource struct{ Type, UID string }

// Panel is a panel of a dashboard.
type Panel struct {
	ID                                 int
	Type, Title, Description, Interval string
	GridPos                            struct{ H, W, X, Y int }
	Datasource                         Datasource
	FieldConfig                        struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher    struct{ Options any }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Targets []Target
}

// Target is a query of a panel: Expr in PromQL or LogQL, Query in TraceQL.
type Target struct {
	RefID, Expr, Query, LegendFormat string
	Exemplar                         bool
	Datasource                       Datasource
}

// Prometheus is the data source type of metrics.
const Prometheus = "prometheus"

// Read reads the dashboards of a folder, in the order of their files.
func Read(folder string) ([]Dashboard, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Dashboard
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a dashboard: %w", err)
		}
		var d Dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if want := d.UID + ".json"; filepath.Base(path) != want {
			return nil, fmt.Errorf("the uid of %s is %s", path, d.UID)
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no dashboard in %s", folder)
	}
	return all, nil
}

// Expressions returns the PromQL expressions of the dashboard in order.
func (d *Dashboard) Expressions() []string {
	var all []string
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			if target.Datasource.Type == Prometheus {
				all = append(all, target.Expr)
			}
		}
	}
	return all
}

var (
	grafanaVariable = regexp.MustCompile(`\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*(?::\w+)?\})`)
	legendLabel     = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
	labelValues     = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	queryResult     = regexp.MustCompile(`(?s)^query_result\((.+)\)$`)
)

// Used returns the names of Grafana variables in a query.
func Used(query string) []string {
	var names []string
	for _, found := range grafanaVariable.FindAllString(query, -1) {
		name, _, _ := strings.Cut(strings.Trim(found, "${}"), ":")
		names = append(names, name)
	}
	return names
}

// Expand replaces Grafana variables: those of time by interval, and those of the dashboard by values.
func Expand(query, interval string, values map[string]string) string {
	return grafanaVariable.ReplaceAllStringFunc(query, func(found string) string {
		name := Used(found)[0]
		if strings.HasPrefix(name, "__") {
			return interval
		}
		if value, known := values[name]; known {
			return value
		}
		return ".*"
	})
}

// Check reports every unknown metric, label and unit in the dashboard's PromQL: in expressions, legends and variable
// queries.
func (d *Dashboard) Check(c *catalogue.Catalogue) error {
	var problems []error
	report := func(where string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %w", d.UID, where, err))
		}
	}
	for _, v := range d.Templating.List {
		report("variable "+v.Name, v.check(c))
	}
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			if target.Datasource.Type == Prometheus {
				report(fmt.Sprintf("panel %q", panel.Title), target.check(c))
			}
		}
		report(fmt.Sprintf("panel %q", panel.Title), panel.checkUnit(c))
	}
	return errors.Join(problems...)
}

func (v *Variable) check(c *catalogue.Catalogue) error {
	if v.Type != "query" {
		return nil
	}
	expr := ""
	if parts := labelValues.FindStringSubmatch(v.Definition); parts != nil {
		expr = fmt.Sprintf("count by (%s) (%s)", parts[2], parts[1])
	} else if parts := queryResult.FindStringSubmatch(v.Definition); parts != nil {
		expr = parts[1]
	} else {
		return fmt.Errorf("%q is neither label_values nor query_result", v.Definition)
	}
	_, err := c.Check(Expand(expr, "5m", nil))
	return err
}

func (t *Target) check(c *catalogue.Catalogue) error {
	labels, err := c.Check(Expand(t.Expr, "5m", nil))
	if err != nil {
		return err
	}
	for _, used := range legendLabel.FindAllStringSubmatch(t.LegendFormat, -1) {
		if !slices.Contains(labels, used[1]) {
			return fmt.Errorf("the legend %q names the label %s, which the series have not", t.LegendFormat, used[1])
		}
	}
	return nil
}

// metricName matches possible metric names in an expression.
var metricName = regexp.MustCompile(`\b(?:tasker|otelcol)_\w+`)

// checkUnit compares the unit of a panel that shows values of one metric with that metric's: durations are seconds and
// sizes bytes. Ratios and counts have no unit.
func (p *Panel) checkUnit(c *catalogue.Catalogue) error {
	if p.Type == "table" || p.Type == "row" {
		return nil // each column has its own
	}
	unit := p.FieldConfig.Defaults.Unit
	for _, target := range p.Targets {
		if target.Datasource.Type != Prometheus || unit == "percentunit" {
			continue
		}
		of, _, _ := strings.Cut(target.Expr, " / ") // a mean has the unit of the sum
		for _, series := range metricName.FindAllString(of, -1) {
			want, known := unitOf(c, series)
			if known && want != unit {
				return fmt.Errorf("the unit is %q, and that of %s is %q", unit, series, want)
			}
		}
	}
	return nil
}

// unitOf returns Grafana's name for the unit of a series' values. That of a recorded series is unknown.
func unitOf(c *catalogue.Catalogue, series string) (unit string, known bool) {
	name, isCount := strings.CutSuffix(series, "_count")
	for _, suffix := range []string{"_bucket", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	metric, err := c.Family(name)
	if err != nil {
		if metric, err = c.Family(series); err != nil {
			return "", false
		}
		isCount = false
	}
	switch {
	case isCount:
		return "short", true
	case metric.Unit == "s" && strings.HasSuffix(series, "_cpu_seconds"):
		return "short", true // cores
	case metric.Unit == "s":
		return "s", true
	case metric.Unit == "By":
		return "bytes", true
	}
	return "short", true
}
