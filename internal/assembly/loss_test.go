// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// shortNames are the names of spans in the documentation's table, in its order.
var shortNames = []struct{ name, short string }{
	{lifecycle.SpanTask, "task"},
	{lifecycle.SpanOrchestration, "pass"},
	{lifecycle.SpanBatch, "batch"},
	{lifecycle.SpanStep, "step"},
	{lifecycle.SpanHandler, "handler"},
	{lifecycle.SpanQuery, "query"},
	{lifecycle.SpanQueued, "queued"},
	{lifecycle.SpanBackoff, "backoff"},
	{lifecycle.SpanDependency, "dependency"},
	{lifecycle.SpanFinalization, "finalization"},
}

// outcome is the result of assembling some events: how many spans of each name, and how many of them are marked.
type outcome struct {
	spans, synthesized, incomplete map[string]int
	reasons                        map[tree.Reason]int
}

// without assembles the events except those of the given names, and waits until everything is released.
func without(t require.TestingT, events []*event.Event, lost ...string) outcome {
	o := outcome{map[string]int{}, map[string]int{}, map[string]int{}, map[tree.Reason]int{}}
	a := assembly.New(limits(), func(tree *tree.Tree) {
		requireWellFormed(t, tree)
		o.reasons[tree.Reason]++
		for i := range tree.Spans {
			s := &tree.Spans[i]
			o.spans[s.Name]++
			for _, attr := range s.Attributes {
				switch attr.Key {
				case lifecycle.AttrSynthesized:
					o.synthesized[s.Name]++
				case lifecycle.AttrIncomplete:
					o.incomplete[s.Name]++
				}
			}
		}
	})
	now := time.Unix(1, 0)
	for _, e := range events {
		if !slices.Contains(lost, e.Name) {
			a.Observe(e, now)
		}
	}
	for _, wait := range []time.Duration{limits().ReorderWindow, limits().SettleTimeout, limits().IdleTimeout} {
		a.Advance(now.Add(wait))
	}
	require.Zero(t, a.Stats().OpenTasks)
	require.Zero(t, a.Stats().HeldEvents)
	return o
}

// lossStreams are streams that have every kind of event of which trees are made.
func lossStreams(t testing.TB) map[string][]*event.Event {
	streams := scenarioEvents(t)
	for _, name := range []string{"mixed", "planned", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	return streams
}

// fewTasks returns the events of the first tasks, by task: the other tasks have the same kinds of events.
func fewTasks(events []*event.Event, n int) [][]*event.Event {
	place := map[event.TraceID]int{}
	var tasks [][]*event.Event
	for _, e := range events {
		at, known := place[e.TraceID]
		if !known {
			at = len(tasks)
			place[e.TraceID] = at
			tasks = append(tasks, nil)
		}
		tasks[at] = append(tasks[at], e)
	}
	return tasks[:min(n, len(tasks))]
}

func namesOf(events []*event.Event) []string {
	names := map[string]bool{}
	for _, e := range events {
		names[e.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// All events of a pair of kinds are lost. Trees stay well formed, no attempt is lost or doubled, and a task has another tree only
// where it ran again.
func TestLossOfTwoKinds(t *testing.T) {
	t.Parallel()
	for stream, events := range lossStreams(t) {
		if stream == "mixed" || stream == "spinning" {
			continue // adds no kind of event, at many times the number
		}
		t.Run(stream, func(t *testing.T) {
			names := namesOf(events)
			events := slices.Concat(fewTasks(events, 6)...)
			whole := without(t, events)
			for i, first := range names {
				for _, second := range names[i:] {
					got := without(t, events, first, second)
					require.LessOrEqual(t, got.spans[lifecycle.SpanTask], whole.spans[lifecycle.SpanTask], "%s, %s", first, second)
					require.Equal(t, got.spans[lifecycle.SpanStep], got.spans[lifecycle.SpanHandler], "%s, %s", first, second)
					if first != lifecycle.StepBeforeHandle || second != lifecycle.StepExecutionRequested { // without these an attempt that has no end leaves no event
						require.Equal(t, whole.spans[lifecycle.SpanStep], got.spans[lifecycle.SpanStep], "%s, %s", first, second)
					}
				}
			}
		})
	}
}

// The table of docs/span-hierarchy.md has a row for every event, with the assembler's result of its loss.
func TestTheTableOfLosses(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "span-hierarchy.md")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(raw), "\n")
	head := slices.Index(lines, "| every one of these is lost | the tree then | gone | synthesized | incomplete | released |")
	require.Positive(t, head, "the table is not there")
	measured := measureLosses(t)
	described := map[string]bool{}
	for i := head + 2; strings.HasPrefix(lines[i], "|"); i++ {
		cells := strings.Split(strings.Trim(lines[i], "|"), "|")
		require.Len(t, cells, 6, lines[i])
		found := []string{"", "", "", ""}
		for _, name := range namesIn(cells[0]) {
			require.False(t, described[name], "%s has two rows", name)
			described[name] = true
			if cells := measured[name]; cells != nil {
				require.True(t, found[3] == "" || slices.Equal(found, cells), "%s needs a row of its own", name)
				found = cells
			}
		}
		if found[3] == "" {
			found[3] = "ended" // never fired in any stream, and not waited for
		}
		for j, cell := range found {
			cells[2+j] = " " + cell + " "
		}
		got := "|" + strings.Join(cells, "|") + "|"
		if !*update {
			assert.Equal(t, got, lines[i])
		}
		lines[i] = got
	}
	for _, name := range append(lifecycle.Names(), "custom") {
		assert.True(t, described[name], "%s has no row", name)
		delete(described, name)
	}
	assert.Empty(t, described, "rows of events that do not exist")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
	}
}

// namesIn returns the event names of a cell. GROUP.* covers all that have no row of their own.
func namesIn(cell string) []string {
	var names []string
	for name := range strings.SplitSeq(cell, ",") {
		name = strings.TrimSpace(name)
		if group, all := strings.CutSuffix(name, "*"); all {
			for _, known := range lifecycle.Names() {
				if strings.HasPrefix(known, group) {
					names = append(names, known)
				}
			}
			continue
		}
		names = append(names, name)
	}
	return names
}

// measureLosses returns, per event of any stream, which spans its loss removes, which become synthesized or incomplete, and the
// release reason of the trees.
func measureLosses(t *testing.T) map[string][]string {
	type marks struct{ gone, synthesized, incomplete, released map[string]bool }
	of := map[string]*marks{}
	for _, events := range lossStreams(t) {
		whole := without(t, events)
		for _, name := range namesOf(events) {
			got := without(t, events, name)
			if !slices.Contains(lifecycle.Names(), name) {
				name = "custom"
			}
			m := of[name]
			if m == nil {
				m = &marks{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
				of[name] = m
			}
			for _, span := range shortNames {
				m.gone[span.short] = m.gone[span.short] || got.spans[span.name] < whole.spans[span.name]
				m.synthesized[span.short] = m.synthesized[span.short] || got.synthesized[span.name] > whole.synthesized[span.name]
				m.incomplete[span.short] = m.incomplete[span.short] || got.incomplete[span.name] > whole.incomplete[span.name]
			}
			for reason, n := range got.reasons {
				m.released[reason.String()] = m.released[reason.String()] || n > whole.reasons[reason]
			}
		}
	}
	cells := map[string][]string{}
	for name, m := range of {
		if len(setOf(m.released)) == 0 {
			m.released[tree.ReasonEnded.String()] = true
		}
		cells[name] = []string{setOf(m.gone), setOf(m.synthesized), setOf(m.incomplete), setOf(m.released)}
	}
	return cells
}

func setOf(marks map[string]bool) string {
	var texts []string
	for _, span := range shortNames {
		if marks[span.short] {
			texts = append(texts, span.short)
		}
	}
	for reason := range tree.ReasonShutdown + 1 {
		if marks[reason.String()] {
			texts = append(texts, reason.String())
		}
	}
	return strings.Join(texts, ", ")
}

// undetected are the events whose loss nothing shows: they decide no time of the levels from the task to the handler, but add a
// span, a span event or an attribute.
var undetected = []string{
	lifecycle.DatabaseQueryExecuted, lifecycle.ObservabilityStepBackoff, lifecycle.StepInitializeRequested, lifecycle.TaskBeforeTransition,
	lifecycle.TaskInitializeRequested, lifecycle.WorkflowTaskReenqueueDelayed, "order.fulfilled",
}

// Any single event of a task arrives after the reorder window and before the settle timeout. The tree is the same, because the
// event was known to be missing.
func TestOneEventComesLate(t *testing.T) {
	t.Parallel()
	start := time.Unix(1, 0)
	late := start.Add(limits().SettleTimeout / 2)
	for _, stream := range []string{"planned", "real/retry"} {
		for _, events := range fewTasks(readStream(t, stream), 3) {
			trace := events[0].TraceID
			assemble := func(held *event.Event) []string {
				return spansByTrace(t, func(a *assembly.Assembler) {
					for _, e := range events {
						if e != held {
							a.Observe(e, start)
						}
					}
					a.Advance(start.Add(limits().ReorderWindow))
					a.Advance(late)
					if held != nil {
						a.Observe(held, late)
					}
					a.Advance(late.Add(limits().SettleTimeout))
				})[trace]
			}
			whole := assemble(nil)
			for _, held := range events {
				if !slices.Contains(undetected, held.Name) {
					require.Equal(t, whole, assemble(held), "%s: %s at %d", stream, held.Name, held.At)
				}
			}
		}
	}
}
