// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// timeLayout is the format of the start, in UTC as in the events.
const timeLayout = "2006-01-02 15:04:05.000 UTC"

// header adds the task's most important facts.
func (d *drawing) header() {
	s := &d.tree.Spans[0]
	mark, style := d.glyphs.mark(treeview.MarkOf(s))
	outcome := strings.ReplaceAll(string(treeview.Status(s)), "_", " ")
	if treeview.Marked(s, lifecycle.AttrIncomplete) {
		outcome = treeview.Joined(outcome, "incomplete: its end was not announced")
	}
	head := []string{treeview.Title(s), outcome, d.glyphs.duration(s.End - s.Start), time.Unix(0, s.Start).UTC().Format(timeLayout)}
	for i, line := range d.fields(d.width-2, head) {
		if i == 0 {
			d.line(d.paint(style, mark) + " " + d.paint(terminal.Bold, line))
			continue
		}
		d.line("  " + d.paint(terminal.Bold, line))
	}

	d.line("  trace " + hex.EncodeToString(d.tree.Trace[:])) // not wrapped, so that it can be copied
	d.about(
		resource(d.tree, "service", lifecycle.AttrServiceName), resource(d.tree, "namespace", lifecycle.AttrServiceNamespace),
		only(treeview.Number(s, lifecycle.AttrRun) > 1, "run "+treeview.Text(s.Attributes, lifecycle.AttrRun)),
		named("correlation", treeview.Text(s.Attributes, lifecycle.AttrCorrelationID)),
	)
	d.about(
		treeview.Count(treeview.Number(s, lifecycle.AttrPasses), "pass"), treeview.Count(treeview.Number(s, lifecycle.AttrSteps), "step"),
		treeview.Count(treeview.Number(s, lifecycle.AttrAttempts), "attempt"), retries(treeview.Number(s, lifecycle.AttrRetries)),
		d.seconds("queued", s, lifecycle.AttrQueueSeconds), d.seconds("backoff", s, lifecycle.AttrBackoffTotal),
	)
	if path := treeview.Value(s.Attributes, lifecycle.AttrCriticalPath).Strings; len(path) > 0 {
		names := make([]string, len(path))
		for i, name := range path {
			names[i] = printable.Line(name)
		}
		d.about("critical path " + d.glyphs.critical + " " + strings.Join(names, d.glyphs.arrow))
		share := treeview.Value(s.Attributes, lifecycle.AttrBottleneckShare).Double
		d.about(fmt.Sprintf("bottleneck %s, %.0f%% of the duration", treeview.Text(s.Attributes, lifecycle.AttrBottleneck), math.Round(share*100)))
	}
	if treeview.Marked(s, lifecycle.AttrRefusedAtCreation) {
		d.about("refused at its creation")
	}
	switch {
	case d.tree.Cut > 0:
		d.about(treeview.Count(int64(d.tree.Cut), "span") + " omitted: the tree has reached its limit")
	case treeview.Marked(s, lifecycle.AttrTruncated):
		d.about("events omitted: the task has reached its limit")
	}
	if problem := treeview.Failure(s); problem != "" {
		d.wrapped("  ", problem, terminal.Red)
	}
}

// about adds a line of facts, omitting empty ones.
func (d *drawing) about(facts ...string) {
	for _, line := range d.fields(d.width-2, facts) {
		d.line("  " + line)
	}
}

// fields joins facts and breaks lines between them if possible.
func (d *drawing) fields(columns int, facts []string) []string {
	var lines []string
	line := ""
	for _, fact := range facts {
		switch {
		case fact == "":
			continue
		case line != "" && terminal.Width(line+d.glyphs.dot+fact) <= columns:
			line += d.glyphs.dot + fact
			continue
		case line != "":
			lines = append(lines, terminal.Wrap(line, columns)...)
		}
		line = fact
	}
	return append(lines, terminal.Wrap(line, columns)...)
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}

func resource(tree *tree.Tree, name, key string) string {
	if tree.Resource == nil {
		return ""
	}
	return named(name, treeview.Text(tree.Resource.Attributes, key))
}

func retries(n int64) string {
	if n == 0 {
		return "no retries"
	}
	return treeview.Count(n, "retry")
}

func (d *drawing) seconds(name string, s *tree.Span, key string) string {
	length := treeview.Value(s.Attributes, key).Double
	if length <= 0 {
		return ""
	}
	return name + " " + d.glyphs.duration(int64(length*1e9))
}
