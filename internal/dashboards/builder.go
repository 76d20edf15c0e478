package dashboards

import (
	"fmt"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

// builder makes panels of metrics, and collects what is wrong with their names.
type builder struct {
	catalogue *catalogue.Catalogue
	problems  []error
}

// Widths of panels.
const (
	sixth  = 4
	third  = 8
	half   = 12
	across = 24
)

// unit is Grafana's name for the unit of a metric, from the catalogue.
func (b *builder) unit(metric string) string {
	m, err := b.catalogue.Family(metric)
	if err != nil {
		b.problems = append(b.problems, err)
		return ""
	}
	switch m.Unit {
	case "s":
		return "s"
	case "By":
		return "bytes"
	}
	return "short"
}

// describe begins a panel's description with what the catalogue tells of its metric.
func (b *builder) describe(metric, more string) string {
	m, err := b.catalogue.Family(metric)
	if err != nil {
		b.problems = append(b.problems, err)
	}
	text := strings.TrimSuffix(strings.ReplaceAll(m.Description, "`", ""), ".")
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:] + ". "
	}
	return strings.TrimSpace(text + more)
}

// perSecond is the rate of a counter, added up by labels.
func perSecond(metric, filter string, by ...string) string {
	return fmt.Sprintf("%s (rate(%s{%s}[$__rate_interval]))", sumBy(by), metric, filter)
}

// inRange is how much a counter grew in the time that is shown.
func inRange(metric, filter string, by ...string) string {
	return fmt.Sprintf("%s (increase(%s{%s}[$__range]))", sumBy(by), metric, filter)
}

// now is the sum of a gauge.
func now(metric, filter string, by ...string) string {
	return fmt.Sprintf("%s (%s{%s})", sumBy(by), metric, filter)
}

// quantile is estimated from a histogram's buckets; over is a range such as $__range.
func quantile(q float64, histogram, filter, over string, by ...string) string {
	return fmt.Sprintf("histogram_quantile(%v, %s (rate(%s_bucket{%s}[%s])))", q, sumBy(append(by, "le")), histogram, filter, over)
}

// mean is the exact mean of what a histogram observed.
func mean(histogram, filter, over string, by ...string) string {
	return fmt.Sprintf("%[1]s (rate(%[2]s_sum{%[3]s}[%[4]s])) / %[1]s (rate(%[2]s_count{%[3]s}[%[4]s]))",
		sumBy(by), histogram, filter, over)
}

// share is what part of a counter has the label, in the time that is shown. Nothing of something is 0.
func share(metric, filter, with string, by ...string) string {
	all := inRange(metric, filter, by...)
	part := inRange(metric, join(filter, with), by...)
	return fmt.Sprintf("(%s or 0 * %s) / (%s > 0)", part, all, all)
}

func sumBy(by []string) string {
	if len(by) == 0 {
		return "sum"
	}
	return "sum by (" + strings.Join(by, ", ") + ")"
}

// join puts matchers together.
func join(filters ...string) string {
	var some []string
	for _, f := range filters {
		if f != "" {
			some = append(some, f)
		}
	}
	return strings.Join(some, ", ")
}

// rate is a graph of a counter, a line for each value of the labels.
func (b *builder) rate(title, metric, filter string, width int, by ...string) Panel {
	return Panel{
		Title: title, Description: b.describe(metric, "A second."), Kind: Graph, Unit: rateUnit(b.unit(metric)), Width: width,
		Queries: []Query{{Expr: perSecond(metric, filter, by...), Legend: legend(by, title)}},
	}
}

func rateUnit(unit string) string {
	if unit == "bytes" {
		return "Bps"
	}
	return "cps"
}

// gauge is a graph of a gauge, a line for each value of the labels.
func (b *builder) gauge(title, metric, filter string, width int, by ...string) Panel {
	return Panel{
		Title: title, Description: b.describe(metric, ""), Kind: Graph, Unit: b.unit(metric), Width: width,
		Queries: []Query{{Expr: now(metric, filter, by...), Legend: legend(by, title)}},
	}
}

// quantiles is a graph of a histogram's p50, p95 and p99, with its exemplars.
func (b *builder) quantiles(title, histogram, filter string, width int) Panel {
	p := Panel{
		Title: title, Description: b.describe(histogram, "The dots are traces."), Kind: Graph, Unit: b.unit(histogram), Width: width,
	}
	for _, q := range []struct {
		q    float64
		name string
	}{{0.5, "p50"}, {0.95, "p95"}, {0.99, "p99"}} {
		p.Queries = append(p.Queries, Query{
			Expr: quantile(q.q, histogram, filter, "$__rate_interval"), Legend: q.name, Exemplars: q.q == 0.95,
		})
	}
	return p
}

// p95 is a graph of a histogram's p95, a line for each value of the labels.
func (b *builder) p95(title, histogram, filter string, width int, by ...string) Panel {
	return Panel{
		Title: title, Description: b.describe(histogram, "The p95; the dots are traces."), Kind: Graph, Unit: b.unit(histogram), Width: width,
		Queries: []Query{{Expr: quantile(0.95, histogram, filter, "$__rate_interval", by...), Legend: legend(by, "p95"), Exemplars: true}},
	}
}

// means is a graph of a histogram's mean, a line for each value of the labels.
func (b *builder) means(title, histogram, filter string, width int, by ...string) Panel {
	return Panel{
		Title: title, Description: b.describe(histogram, "The mean."), Kind: Graph, Unit: b.unit(histogram), Width: width,
		Queries: []Query{{Expr: mean(histogram, filter, "$__rate_interval", by...), Legend: legend(by, "mean")}},
	}
}

// heatmap shows how a histogram's observations are spread.
func (b *builder) heatmap(title, histogram, filter string, width int) Panel {
	return Panel{
		Title: title, Description: b.describe(histogram, "The dots are traces."), Kind: Heatmap, Unit: b.unit(histogram), Width: width,
		Queries: []Query{{
			Expr:   fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[$__rate_interval]))", histogram, filter),
			Legend: "{{le}}", Exemplars: true,
		}},
	}
}

// stat is one number.
func stat(title, description, unit string, expr string) Panel {
	return Panel{Title: title, Description: description, Kind: Stat, Unit: unit, Width: sixth, Queries: []Query{{Expr: expr, Legend: title}}}
}

func legend(by []string, otherwise string) string {
	if len(by) == 0 {
		return otherwise
	}
	return "{{" + strings.Join(by, "}} {{") + "}}"
}
