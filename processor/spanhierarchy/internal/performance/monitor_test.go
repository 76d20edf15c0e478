// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package performance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

func span(name string, took time.Duration, notes ...tree.SpanEvent) tree.Span {
	s := tree.Span{Name: name, Start: 5e9, End: 5e9 + int64(took), Events: notes}
	s.Attributes = []attribute.KeyValue{attribute.Int(lifecycle.AttrTaskID, 7), attribute.String(lifecycle.AttrTaskName, "import")}
	switch name {
	case lifecycle.SpanStep, lifecycle.SpanHandler:
		s.Attributes = append(s.Attributes, attribute.String(lifecycle.AttrStepName, "fetch"))
	case lifecycle.SpanQuery:
		s.Attributes = append(s.Attributes, attribute.String(lifecycle.AttrStepName, "fetch"),
			attribute.String(lifecycle.AttrDBOperationName, "SELECT"), attribute.String(lifecycle.AttrDBCollectionName, "orders"))
	}
	return s
}

func memory(name string, mb float64, operation string) tree.SpanEvent {
	n := tree.SpanEvent{Name: name, At: 6e9, Attributes: []attribute.KeyValue{attribute.Double(lifecycle.AttrMemoryDeltaMB, mb)}}
	if operation != "" {
		n.Attributes = append(n.Attributes, attribute.String(lifecycle.AttrOperation, operation))
	}
	return n
}

func reported(s *tree.Span) (found []tree.SpanEvent) {
	for _, n := range s.Events {
		for _, attr := range n.Attributes {
			if attr.Key == lifecycle.AttrDetectedBy && attr.Value.Text == "span_hierarchy" {
				found = append(found, n)
			}
		}
	}
	return found
}

func TestWhatIsOverItsThresholdIsReported(t *testing.T) {
	ms := func(n int) *time.Duration { d := time.Duration(n) * time.Millisecond; return &d }
	mb := func(n float64) *float64 { return &n }
	overrides := []performance.Override{
		{Tasks: []string{"import"}, SlowTask: ms(60_000)},
		{Steps: []string{"fe*"}, Tasks: []string{"export"}, SlowStep: ms(1)},
		{Steps: []string{"fe*"}, SlowStep: ms(2000), MemorySpikeMB: mb(10)},
		{Steps: []string{"fetch"}, SlowStep: ms(1)},
		{Operations: []string{"SELECT carts", "UPDATE"}, SlowQuery: ms(1)},
		{Operations: []string{"SELECT orders"}, SlowQuery: ms(200)},
		{Operations: []string{"quick", "sort_*"}, MemorySpikeMB: mb(500)},
	}
	for name, test := range map[string]struct {
		span      tree.Span
		overrides bool
		want      string
		operation string
		value     float64
		threshold float64
	}{
		"a task at its threshold":         {span: span(lifecycle.SpanTask, 30*time.Second)},
		"a slow task":                     {span(lifecycle.SpanTask, 31*time.Second), false, lifecycle.PerformanceSlowOperation, "import", 31, 30},
		"a slow step":                     {span(lifecycle.SpanStep, 1500*time.Millisecond), false, lifecycle.PerformanceSlowOperation, "fetch", 1.5, 1},
		"a slow query":                    {span(lifecycle.SpanQuery, 2*time.Second), false, lifecycle.PerformanceSlowSQLQuery, "SELECT orders", 2, 1},
		"a handler is told by its step":   {span: span(lifecycle.SpanHandler, time.Hour)},
		"a wait is no operation":          {span: span(lifecycle.SpanQueued, time.Hour)},
		"a task with a patient override":  {span: span(lifecycle.SpanTask, 31*time.Second), overrides: true},
		"a step with an override":         {span: span(lifecycle.SpanStep, 1500*time.Millisecond), overrides: true},
		"a slow step with an override":    {span(lifecycle.SpanStep, 3*time.Second), true, lifecycle.PerformanceSlowOperation, "fetch", 3, 2},
		"a query with an override":        {span(lifecycle.SpanQuery, 250*time.Millisecond), true, lifecycle.PerformanceSlowSQLQuery, "SELECT orders", 0.25, 0.2},
		"the engine has told":             {span: span(lifecycle.SpanStep, time.Minute, tree.SpanEvent{Name: lifecycle.PerformanceSlowOperation})},
		"little memory":                   {span: span(lifecycle.SpanStep, 1, memory("shop.sorted", 100, ""))},
		"much memory":                     {span(lifecycle.SpanStep, 1, memory("shop.sorted", 101, ""), memory("shop.sorted", 300, "sort"), memory("shop.sorted", 200, "")), false, lifecycle.PerformanceMemorySpike, "sort", 300, 100},
		"memory of a step":                {span(lifecycle.SpanHandler, 1, memory("step.completed", 11, "")), true, lifecycle.PerformanceMemorySpike, "fetch", 11, 10},
		"memory of an operation":          {span: span(lifecycle.SpanTask, 1, memory("shop.sorted", 400, "sort_all")), overrides: true},
		"the engine has told of memory":   {span: span(lifecycle.SpanTask, 1, memory(lifecycle.PerformanceMemorySpike, 400, ""))},
		"memory that says it is a string": {span: span(lifecycle.SpanTask, 1, tree.SpanEvent{Attributes: []attribute.KeyValue{attribute.String(lifecycle.AttrMemoryDeltaMB, "999")}})},
	} {
		t.Run(name, func(t *testing.T) {
			var o []performance.Override
			if test.overrides {
				o = overrides
			}
			tree := &tree.Tree{Spans: []tree.Span{test.span}}
			performance.New(performance.DefaultThresholds(), o).Inspect(tree)
			got := reported(&tree.Spans[0])
			if test.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			value, threshold := lifecycle.AttrDuration, lifecycle.AttrThreshold
			if test.want == lifecycle.PerformanceMemorySpike {
				value, threshold = lifecycle.AttrMemoryDeltaMB, lifecycle.AttrThresholdMB
			}
			require.Equal(t, test.want, got[0].Name)
			require.Equal(t, []attribute.KeyValue{
				attribute.String(lifecycle.AttrOperation, test.operation), attribute.Double(value, test.value),
				attribute.Double(threshold, test.threshold), attribute.String(lifecycle.AttrDetectedBy, "span_hierarchy"),
			}, got[0].Attributes)
		})
	}
}

func TestThresholdsOfZeroAreNone(t *testing.T) {
	off := time.Duration(0)
	for _, m := range []*performance.Monitor{
		performance.New(performance.Thresholds{}, nil),
		performance.New(performance.DefaultThresholds(), []performance.Override{{Steps: []string{"fetch"}, SlowStep: &off, MemorySpikeMB: new(float64)}}),
	} {
		tree := &tree.Tree{Spans: []tree.Span{span(lifecycle.SpanStep, time.Hour, memory("shop.sorted", 1e6, ""))}}
		m.Inspect(tree)
		require.Empty(t, reported(&tree.Spans[0]))
	}
}

func BenchmarkInspect(b *testing.B) {
	spans := make([]tree.Span, 0, 16)
	for len(spans) < cap(spans) {
		spans = append(spans, span(lifecycle.SpanTask, 1), span(lifecycle.SpanStep, 1), span(lifecycle.SpanHandler, 1), span(lifecycle.SpanQuery, 1))
	}
	m := performance.New(performance.DefaultThresholds(), nil)
	tree := &tree.Tree{Spans: spans}
	b.ReportAllocs()
	for b.Loop() {
		m.Inspect(tree)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(spans)), "ns/span")
}
