// Package dashboards builds Grafana's dashboards from the catalogue of metrics, so that they can't drift from the code: a
// panel names a metric as Prometheus sees it, takes its unit and its description from there, and every expression is
// checked before a file is written. The files are in deploy/grafana, which also tells how to load them.
//
// A panel is told in Go (overview.go, workflow.go, step.go, collector.go); grafana.go makes the JSON of it.
package dashboards

//go:generate go run ./generate
