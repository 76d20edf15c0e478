// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Every span has a correlation id: that of its pass, else a generated one in Tasker's format with the pass's start. Steps have that
// of their pass, not that of their thread.
func TestEverySpanHasACorrelationID(t *testing.T) {
	generated := regexp.MustCompile(`^tsk_[0-9a-z]+_[0-9A-Za-z]{6}$`)
	for _, name := range []string{"mixed", "planned", "real/linear5", "real/retry"} {
		events := readStream(t, name)
		for _, e := range events {
			if !strings.HasPrefix(e.Name, "step.") {
				e.CorrelationID = ""
			}
		}
		for _, s := range spansIn(events) {
			trace := pcommon.TraceID(s.trace)
			id := s.text(lifecycle.AttrCorrelationID)
			require.Regexp(t, generated, id, s.Name)
			require.True(t, strings.HasSuffix(id, suffixOf(trace)), "one suffix a task")
			switch s.Name {
			case lifecycle.SpanOrchestration:
				require.Equal(t, lifecycle.CorrelationSuffixOf(trace).At(s.Start), id)
			case lifecycle.SpanStep:
				require.Equal(t, s.parent.parent.text(lifecycle.AttrCorrelationID), id)
				require.NotEqual(t, id, s.text(lifecycle.AttrThreadCorrelationID))
			}
		}
	}
}

// All spans within a pass have the correlation id of its events.
func TestGivenCorrelationIDsGoBeforeGeneratedOnes(t *testing.T) {
	for _, s := range spansIn(readStream(t, "mixed")) {
		id := s.text(lifecycle.AttrCorrelationID)
		require.NotEmpty(t, id, s.Name)
		require.False(t, strings.HasSuffix(id, suffixOf(pcommon.TraceID(s.trace))), "generated though there is one")
		if p := s.parent; p != nil && p.Name != lifecycle.SpanTask {
			require.Equal(t, p.text(lifecycle.AttrCorrelationID), id, s.Name)
		}
	}
}

func suffixOf(trace pcommon.TraceID) string {
	suffix := lifecycle.CorrelationSuffixOf(trace)
	return "_" + string(suffix[:])
}

// familiar is a span with its trace and its parent.
type familiar struct {
	tree.Span
	trace  event.TraceID
	parent *familiar
}

func (f *familiar) text(key string) string {
	at := slices.IndexFunc(f.Attributes, func(a attribute.KeyValue) bool { return a.Key == key })
	if at < 0 {
		return ""
	}
	return f.Attributes[at].Value.Text
}

// spansIn assembles the events and returns the spans of all trees, parents before children.
func spansIn(events []*event.Event) (spans []*familiar) {
	at := time.Unix(1, 0)
	a := assembly.New(limits(), func(tree *tree.Tree) {
		known := map[event.SpanID]*familiar{}
		for _, s := range tree.Spans {
			s.Attributes = slices.Clone(s.Attributes)
			f := &familiar{s, tree.Trace, known[s.Parent]}
			known[s.ID] = f
			spans = append(spans, f)
		}
	})
	for _, e := range events {
		a.Observe(e, at)
	}
	a.Advance(at.Add(limits().ReorderWindow))
	a.Flush()
	return spans
}

// A task that waits for an external condition runs passes at intervals, each with its own correlation id.
func TestEachOfManyPassesHasItsCorrelationID(t *testing.T) {
	const passes = 1000
	at := time.Unix(1000, 0)
	events := []*event.Event{begun(1, at)}
	correlationID := func(pass int) string { return "pass-" + strconv.Itoa(pass) }
	for pass := range passes {
		for _, name := range []string{
			lifecycle.WorkflowTaskStarted, lifecycle.WorkflowNoViableSteps, lifecycle.WorkflowTaskFinalizationStarted,
			lifecycle.WorkflowTaskFinalizationCompleted, lifecycle.WorkflowTaskFinalizationCompleted,
		} {
			at = at.Add(time.Millisecond)
			e := begun(1, at)
			e.Name, e.StepCount, e.CorrelationID = name, 0, correlationID(pass)
			events = append(events, e)
		}
	}
	var got []string
	for _, s := range spansIn(events) {
		if s.Name == lifecycle.SpanOrchestration {
			got = append(got, s.text(lifecycle.AttrCorrelationID))
		}
	}
	require.Len(t, got, passes)
	for pass, id := range got {
		require.Equal(t, correlationID(pass), id)
	}
}
