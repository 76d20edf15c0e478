package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// customer is the personal datum in each task_context and step_inputs of the streams.
const customer = "a@example.com"

// TestStructuredRecords: events that are routed to logs leave as records, each once, and nothing personal leaves at all.
func TestStructuredRecords(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router:
    routes:
      - {event: step.failed, signals: [traces, metrics, logs]}
      - {event: task.start_requested, signals: [traces, metrics, logs]}
      - {event: step.execution_requested, signals: [traces, metrics, logs]}
`)
	c.sendNDJSON(connections, rough(lines, 9))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))

	counts, err := streamtest.CountEvents(lines)
	require.NoError(t, err)
	got := map[string]int{}
	type place struct {
		trace [16]byte
		span  [8]byte
	}
	spans := map[place]bool{}
	for _, span := range sink.all() {
		if span.Name == lifecycle.SpanTask {
			spans[place{span.TraceID, span.SpanID}] = true
		}
	}
	for _, r := range sink.allRecords() {
		got[r.event]++
		assert.True(t, spans[place{r.trace, r.span}], "%s leads to its task's span", r.event)
		assert.NotEmpty(t, r.attributes[lifecycle.AttrEntityType], r.event)
		assert.NotEmpty(t, r.attributes[lifecycle.AttrCorrelationID], r.event)
		assert.NotEmpty(t, r.body, r.event)
		assert.Contains(t, r.attributes, lifecycle.AttrTaskID, r.event)
		assert.NotContains(t, fmt.Sprint(r.body, r.attributes), customer, r.event)
	}
	want := map[string]int{}
	for _, event := range []string{lifecycle.StepFailed, lifecycle.TaskStartRequested, lifecycle.StepExecutionRequested} {
		want[event] = counts[event]
	}
	assert.Equal(t, want, got)
	for _, span := range sink.all() {
		assert.NotContains(t, fmt.Sprint(span.Attributes, span.Events), customer, span.Name)
	}
}
