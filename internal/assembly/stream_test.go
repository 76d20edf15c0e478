// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// readStream reads a stream of the plain wire form into events, without the production decoders, so that the expected result does
// not depend on them.
func readStream(t testing.TB, name string) []*event.Event {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "tests", "streamtest", "testdata", name+".ndjson"))
	require.NoError(t, err)
	var events []*event.Event
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		events = append(events, parseEvent(t, lines.Bytes()))
	}
	require.NoError(t, lines.Err())
	return events
}

type item struct {
	Event         string         `json:"event"`
	OccurredAt    time.Time      `json:"occurred_at"`
	Service       string         `json:"service"`
	CorrelationID string         `json:"correlation_id"`
	Traceparent   string         `json:"traceparent"`
	Payload       map[string]any `json:"payload"`
}

func parseEvent(t testing.TB, line []byte) *event.Event {
	t.Helper()
	var in item
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&in), string(line))
	p := in.Payload
	text := func(key string) string { s, _ := p[key].(string); return s }
	id := func(key string) event.ID {
		switch v := p[key].(type) {
		case json.Number:
			return event.ID{Text: v.String(), Integer: true}
		case string:
			return event.ID{Text: v}
		}
		return event.ID{}
	}
	integer := func(key string, absent int) int {
		if v, ok := p[key].(json.Number); ok {
			n, err := strconv.Atoi(v.String())
			require.NoError(t, err)
			return n
		}
		return absent
	}
	number := func(key string) float64 {
		v, _ := p[key].(json.Number)
		f, _ := v.Float64()
		return f
	}
	texts := func(key string) (list []string) {
		items, _ := p[key].([]any)
		for _, item := range items {
			switch v := item.(type) {
			case string:
				list = append(list, v)
			case json.Number:
				list = append(list, v.String())
			}
		}
		return list
	}
	hash := fnv.New64a()
	_, _ = hash.Write(line)
	e := &event.Event{
		Identity: hash.Sum64(), Name: in.Event, At: in.OccurredAt.UnixNano(), TaskID: id("task_id"), TaskName: text("task_name"),
		StepID: id("step_id"), StepName: text("step_name"), CorrelationID: in.CorrelationID, Traceparent: in.Traceparent,
		Attempt: integer("attempt_number", -1), StepCount: integer("step_count", 0), TotalSteps: integer("total_steps", 0),
		StepIDs: texts("step_ids"), Dependencies: texts("step_dependencies"), HasJob: text("job_id") != "",
		JobRun: integer("attempt", -1), QueueName: text("queue_name"), FinalStatus: text("final_status"),
		Mode: text("processing_mode"), ErrorClass: text("error_class"), Exception: text("exception_class"),
		ErrorMessage: text("error_message"), Backtrace: strings.Join(append(texts("backtrace"), text("backtrace")), "\n"),
		BackoffType: text("backoff_type"), BackoffFor: number("backoff_seconds"), QueryDuration: number("duration"), SQL: text("sql"),
	}
	if c := text("correlation_id"); c != "" {
		e.CorrelationID = c
	}
	e.TraceID = lifecycle.TraceID("", in.Service, e.TaskID.Text)
	return e
}

func limits() assembly.Limits {
	return assembly.Limits{
		OpenTasks: 1 << 20, EventsPerTask: 20000, SpansPerTree: 10000, BytesPerTree: 16 << 20, ReorderWindow: 2 * time.Second,
		SettleTimeout: 30 * time.Second, IdleTimeout: time.Hour, Remembered: 1 << 20, Finished: 1 << 20,
	}
}

func TestCompleteStreamsAreReleasedWithoutWaitingForTheSettleTimeout(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1, 0)
			trees := map[event.TraceID]int{}
			a := assembly.New(limits(), func(emitted *tree.Tree) {
				trees[emitted.Trace]++
				require.Equal(t, tree.ReasonEnded, emitted.Reason)
			})
			tasks := map[event.TraceID]bool{}
			for _, e := range readStream(t, name) {
				tasks[e.TraceID] = true
				a.Observe(e, now)
			}
			a.Advance(now.Add(limits().ReorderWindow))
			require.Len(t, trees, len(tasks))
			for trace, n := range trees {
				require.Equal(t, 1, n, trace)
			}
			require.Zero(t, a.Stats().OpenTasks)
			require.Zero(t, a.Stats().HeldEvents)
		})
	}
}
