// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Row describes an entry of the map, or the decision on one event.
type Row struct {
	// Event is a name or glob; "otherwise" stands for names without a route.
	Event   string   `json:"event"`
	Signals []string `json:"signals"`
	// Dropped is the reason why the event is dropped; empty if it is not.
	Dropped      string  `json:"dropped,omitempty"`
	SamplingRate float64 `json:"sampling_rate"`
	Priority     string  `json:"priority"`
	// Route is the pattern of the entry that decides, From its Place.
	Route string `json:"route,omitempty"`
	From  string `json:"from"`
	// Also are the less specific routes that match, each as name and place.
	Also []string `json:"also_matches,omitempty"`
}

// otherwise is the Event of the row for names without a route.
const otherwise = "otherwise"

func rowOf(event string, d *Decision) Row {
	row := Row{
		Event: event, Signals: []string{}, Dropped: string(d.Reason), SamplingRate: d.SamplingRate,
		Priority: string(d.Priority), Route: d.Route, From: d.Place,
	}
	if d.Reason == ReasonNone {
		row.Signals = strings.Split(d.Signals.String(), ",")
	}
	return row
}

// Rows returns the effective map: filters first, since they precede all routes, and names without a route last.
func (t *Table) Rows() []Row {
	var rows []Row
	for i, event := range t.Filters() {
		rows = append(rows, Row{
			Event: event, Signals: []string{}, Dropped: string(ReasonFiltered), Priority: string(lifecycle.PriorityNormal),
			Route: event, From: fmt.Sprintf("filtered_events[%d]", i),
		})
	}
	for _, entry := range t.Entries() {
		rows = append(rows, rowOf(entry.Event, t.Of(entry)))
	}
	return append(rows, rowOf(otherwise, t.Fallback()))
}

// RowsOf returns the decision on each of these event names.
func (t *Table) RowsOf(events []string) []Row {
	rows := make([]Row, 0, len(events))
	for _, event := range events {
		name := lifecycle.Canonical(event)
		explained := t.Explain(name)
		row := rowOf(name, explained.Decision)
		for _, entry := range explained.Lost {
			row.Also = append(row.Also, fmt.Sprintf("%s (%s)", entry.Event, entry.Place))
		}
		rows = append(rows, row)
	}
	return rows
}

// Becomes describes the outcome for the event.
func (r *Row) Becomes() string {
	if r.Dropped != "" {
		return "dropped: " + r.Dropped
	}
	return strings.Join(r.Signals, ", ")
}

// Share returns the percentage of tasks that reach traces and logs.
func (r *Row) Share() string {
	if r.Dropped != "" {
		return "-"
	}
	return strconv.FormatFloat(r.SamplingRate*100, 'g', 6, 64) + " %"
}

// Why names the place that decides.
func (r *Row) Why() string {
	why := r.From
	if r.Route != "" && r.Route != r.Event {
		why += " " + r.Route
	}
	if len(r.Also) > 0 {
		why += ", before " + strings.Join(r.Also, ", ")
	}
	return why
}
