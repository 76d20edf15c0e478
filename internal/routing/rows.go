// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Row is an entry of the map, or what becomes of one event.
type Row struct {
	// Event is the name, or glob, that the row is about; "otherwise" is what has no route.
	Event   string   `json:"event"`
	Signals []string `json:"signals"`
	// Dropped is the reason for which the event is dropped, else empty.
	Dropped      string  `json:"dropped,omitempty"`
	SamplingRate float64 `json:"sampling_rate"`
	Priority     string  `json:"priority"`
	// Route is the name or glob of the entry that decides, From is where it is written.
	Route string `json:"route,omitempty"`
	From  string `json:"from"`
	// Also are the less specific routes that match, as name and place.
	Also []string `json:"also_matches,omitempty"`
}

// otherwise is the row for names without a route.
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

// Rows are the map in force. They have the filters first, because they come before every route, and last what has no route.
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

// RowsOf say what becomes of events of these names, and why.
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

// Becomes says what becomes of the event.
func (r *Row) Becomes() string {
	if r.Dropped != "" {
		return "dropped: " + r.Dropped
	}
	return strings.Join(r.Signals, ", ")
}

// Share is how many of the tasks reach traces and logs.
func (r *Row) Share() string {
	if r.Dropped != "" {
		return "-"
	}
	return strconv.FormatFloat(r.SamplingRate*100, 'g', 6, 64) + " %"
}

// Why says where that is written.
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
