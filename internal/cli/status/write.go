// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Write writes the status as text.
func (s *Status) Write(w io.Writer) error {
	out := &table{to: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	health := "health unknown"
	if s.Health != nil {
		health = s.Health.Status
	}
	out.line("otelcol-tasker %s, up %s, %s", s.Version, seconds(s.Uptime), health)
	out.line("instance %s, memory %s", s.Instance, size(s.Memory))
	if s.HealthError != "" {
		out.line("health check: %s", s.HealthError)
	}
	if s.Health != nil {
		out.section("PIPELINE", "STATUS")
		for _, p := range s.Health.Pipelines {
			out.row(p.Name, strings.Join(append([]string{p.Status}, p.Problems...), "; "))
		}
	}
	out.section("STATE OF", "KEPT IN", "SIZE", "LAST COMMIT", "SURVIVES")
	for _, state := range s.State {
		out.row(state.cells(s.At)...)
	}
	if troubles := s.StateTroubles(); len(troubles) > 0 {
		out.section("LOST OR FAILING STATE")
		for _, trouble := range troubles {
			out.row(trouble)
		}
	}
	out.section("IN HAND", "")
	out.row("open tasks", fmt.Sprintf("%d, with %d events in %s", s.Work.OpenTasks, s.Work.HeldEvents, size(s.Work.HeldBytes)))
	out.row("finished spans not sent yet", fmt.Sprint(s.Work.PendingSpans))
	out.row("events remembered", fmt.Sprint(s.Work.KnownEvents))
	out.row("series", fmt.Sprint(s.Work.Series))
	if len(s.Exporters) > 0 {
		out.section("EXPORTER", "SIGNAL", "SENT", "FAILED", "WAITING", "LAST SUCCESS", "")
	}
	for _, e := range s.Exporters {
		out.row(e.cells(s.At)...)
	}
	out.section("LAST", "")
	out.row("flush of metrics", ago(s.LastFlush, s.At))
	out.row("write of a table", ago(s.LastTableWrite, s.At))
	switch {
	case s.ExportError != "":
		out.row("export", s.ExportError)
	case s.LastExport != nil:
		out.row("export", ago(s.LastExport, s.At))
	}
	out.section("REFUSED, DROPPED OR CUT", "", "COUNT")
	for _, loss := range s.Losses {
		out.row(loss.Metric, pairs(loss.Labels), fmt.Sprint(loss.Count))
	}
	if len(s.Losses) == 0 {
		out.row("nothing")
	}
	return out.finish()
}

func (s State) cells(now time.Time) []string {
	cells := []string{s.Component + " (" + s.Keeps + ")", "memory only", "", "", s.Survives}
	if s.Storage {
		cells[1], cells[2], cells[3] = "storage", size(s.Bytes), ago(s.LastCommit, now)
		if s.Failing {
			cells[1] = "storage, LATEST WRITE FAILED"
		}
	}
	return cells
}

func (e Exporter) cells(now time.Time) []string {
	waiting := fmt.Sprint(e.waiting())
	if e.QueueCapacity > 0 {
		waiting = fmt.Sprintf("%d of %d", e.waiting(), e.QueueCapacity)
	}
	cells := []string{e.Exporter, e.Signal, fmt.Sprint(e.Sent), fmt.Sprint(e.Failed), waiting, ago(e.LastSuccess, now), ""}
	if e.Failing {
		cells[6] = "FAILING: " + e.Problem
	}
	return cells
}

// Write writes the durability as text, one line per component.
func (d *Durability) Write(w io.Writer) error {
	out := &table{to: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	asOf := d.AsOf.Format(time.RFC3339Nano)
	for _, s := range d.State {
		switch {
		case !s.Storage:
			out.row(s.Component, "memory only: "+s.Survives)
		case s.Failing:
			out.row(s.Component, fmt.Sprintf("the latest write failed (%d in total): data received since %s is not acknowledged and not stored",
				s.Failures, orNever(s.LastCommit)))
		case s.SetAside > 0:
			out.row(s.Component, fmt.Sprintf("%d segments of its state were unreadable at startup", s.SetAside))
		default:
			out.row(s.Component, fmt.Sprintf("everything acknowledged is stored as of %s (%s, last write %s)", asOf, size(s.Bytes), orNever(s.LastCommit)))
		}
	}
	for i := range d.Stores {
		if trouble := d.Stores[i].trouble(); trouble != "" {
			out.row(d.Stores[i].Name, trouble)
		}
	}
	if d.Files > 0 {
		out.row("disk", fmt.Sprintf("%d files flushed", d.Files))
	}
	return out.finish()
}

// table writes aligned columns and keeps the first error.
type table struct {
	to  *tabwriter.Writer
	err error
}

func (t *table) line(format string, args ...any) {
	for i, arg := range args {
		if text, is := arg.(string); is {
			args[i] = printable.Line(text)
		}
	}
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.to, format+"\n", args...)
	}
}

// section begins columns with their own widths.
func (t *table) section(heads ...string) {
	if t.err == nil {
		t.err = t.to.Flush()
	}
	t.line("")
	t.row(heads...)
}

// row writes cells, some of which are untrusted.
func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable.Line(cell)
	}
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.to, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
}

func (t *table) finish() error {
	if t.err == nil {
		t.err = t.to.Flush()
	}
	return t.err
}

func pairs(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name+"="+labels[name])
	}
	return strings.Join(parts, " ")
}

func orNever(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	return seconds(now.Sub(*at).Seconds()) + " ago"
}

// seconds formats a duration in its two greatest units.
func seconds(s float64) string {
	d := time.Duration(max(s, 0) * float64(time.Second))
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return d.Round(100 * time.Millisecond).String()
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
