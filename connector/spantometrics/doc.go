//go:generate go tool mdatagen metadata.yaml

// Package spantometrics is the connector span_to_metrics: it measures Tasker workflows. Executions and durations come from
// finished spans, raw counts, active tasks and payload values from events.
//
// The measuring is plain Go in internal/series and internal/active; this package reads pdata into it and writes pdata out
// of it.
package spantometrics
