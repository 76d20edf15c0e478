// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
)

// Write writes the status as text.
func (s *Status) Write(w io.Writer) error {
	var out terminal.Table
	health := "health unknown"
	if s.Health != nil {
		health = s.Health.Status
	}
	out.Rowf("otelcol-tasker %s, up %s, %s", s.Version, seconds(s.Uptime), health)
	out.Rowf("instance %s, memory %s", s.Instance, size(s.Memory))
	if s.HealthError != "" {
		out.Rowf("health check: %s", s.HealthError)
	}
	if s.Health != nil {
		out.Section("PIPELINE", "STATUS")
		for _, p := range s.Health.Pipelines {
			out.Row(p.Name, strings.Join(append([]string{p.Status}, p.Problems...), "; "))
		}
	}
	out.Section("STATE OF", "KEPT IN", "SIZE", "LAST COMMIT", "SURVIVES")
	for _, state := range s.State {
		out.Row(state.cells(s.At)...)
	}
	if problems := s.StateProblems(); len(problems) > 0 {
		out.Section("LOST OR FAILING STATE")
		for _, problem := range problems {
			out.Row(problem)
		}
	}
	out.Section("HELD", "")
	out.Row("open tasks", fmt.Sprintf("%d, with %d events in %s", s.Work.OpenTasks, s.Work.HeldEvents, size(s.Work.HeldBytes)))
	out.Row("finished spans not sent yet", fmt.Sprint(s.Work.PendingSpans))
	out.Row("events remembered", fmt.Sprint(s.Work.KnownEvents))
	out.Row("series", fmt.Sprint(s.Work.Series))
	if len(s.Exporters) > 0 {
		out.Section("EXPORTER", "SIGNAL", "SENT", "FAILED", "WAITING", "LAST SUCCESS", "")
	}
	for _, e := range s.Exporters {
		out.Row(e.cells(s.At)...)
	}
	out.Section("LAST", "")
	out.Row("flush of metrics", ago(s.LastFlush, s.At))
	out.Row("write of a table", ago(s.LastTableWrite, s.At))
	switch {
	case s.ExportError != "":
		out.Row("export", s.ExportError)
	case !s.LastExport.IsZero():
		out.Row("export", ago(s.LastExport, s.At))
	}
	out.Section("REFUSED, DROPPED OR CUT", "", "COUNT")
	for _, loss := range s.Losses {
		out.Row(loss.Metric, terminal.Labels(loss.Labels), fmt.Sprint(loss.Count))
	}
	if len(s.Losses) == 0 {
		out.Row("nothing")
	}
	return out.Write(w)
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
	cells := []string{e.Exporter.Exporter, e.Signal, fmt.Sprint(e.Sent), fmt.Sprint(e.Failed), waiting, ago(e.LastSuccess, now), ""}
	if e.Failing {
		cells[6] = "FAILING: " + e.Problem
	}
	return cells
}

// Write writes the durability as text, one line per component.
func (d *Durability) Write(w io.Writer) error {
	var out terminal.Table
	asOf := d.AsOf.Format(time.RFC3339Nano)
	for _, s := range d.State {
		switch {
		case !s.Storage:
			out.Row(s.Component, "memory only: "+s.Survives)
		case s.Failing:
			out.Row(s.Component, fmt.Sprintf("the latest write failed (%d in total): data received since %s is not acknowledged and not stored",
				s.Failures, orNever(s.LastCommit)))
		case s.SetAside > 0:
			out.Row(s.Component, fmt.Sprintf("%d segments of its state were unreadable at startup", s.SetAside))
		default:
			out.Row(s.Component, fmt.Sprintf("everything acknowledged is stored as of %s (%s, last write %s)", asOf, size(s.Bytes), orNever(s.LastCommit)))
		}
	}
	for i := range d.Stores {
		if problem := d.Stores[i].problem(); problem != "" {
			out.Row(d.Stores[i].Name, problem)
		}
	}
	if d.Files > 0 {
		out.Row("disk", fmt.Sprintf("%d files flushed", d.Files))
	}
	return out.Write(w)
}

func orNever(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

func ago(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return seconds(now.Sub(at).Seconds()) + " ago"
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
