// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// The truth of a generated stream: what each task did and when, in Unix nanoseconds.
type (
	interval struct {
		Start int64 `json:"start"`
		End   int64 `json:"end"`
	}
	trueTask struct {
		interval
		Service    string     `json:"service"`
		TaskID     int64      `json:"task_id"`
		TaskName   string     `json:"task_name"`
		Status     string     `json:"status"`
		Passes     []truePass `json:"orchestrations"`
		QueueWaits []interval `json:"queue_waits"`
		Backoffs   []backoff  `json:"backoffs"`
	}
	backoff struct {
		interval
		StepID int64 `json:"step_id"`
	}
	truePass struct {
		interval
		Batches []trueBatch `json:"batches"`
	}
	trueBatch struct {
		interval
		Steps []trueStep `json:"steps"`
	}
	trueStep struct {
		interval
		Name    string `json:"step_name"`
		Attempt int64  `json:"attempt"`
		Status  string `json:"status"`
		Error   string `json:"error"`
	}
)

const streams = "../../tests/streamtest/testdata"

func readTruth(t testing.TB, stream string) []trueTask {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(streams, stream+".truth.json"))
	require.NoError(t, err)
	var tasks []trueTask
	require.NoError(t, json.Unmarshal(text, &tasks))
	require.NotEmpty(t, tasks)
	return tasks
}

// outcome returns the status attribute for a status of the truth.
func outcome(status string) string {
	if status == "ok" {
		return string(lifecycle.StatusSuccess)
	}
	return string(lifecycle.StatusFailure)
}

// expected adds up integers, as in the truth.
type expected struct {
	count uint64
	nanos int64
}

type expectations map[string]map[string]expected

func (l expectations) add(metric, labels string, nanos int64) {
	if l[metric] == nil {
		l[metric] = map[string]expected{}
	}
	sum := l[metric][labels]
	sum.count++
	sum.nanos += nanos
	l[metric][labels] = sum
}

// finishedSpans returns the spans of a task, and adds their expected measurements to the expectations.
func finishedSpans(task trueTask, wanted expectations) ptrace.Traces {
	td, spans := shopSpans(lifecycle.ScopeSpans)
	td.ResourceSpans().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, task.Service)
	add := func(name string, when interval, attrs map[string]any) {
		span := spans.AppendEmpty()
		span.SetName(name)
		trace := lifecycle.TraceID("", task.Service, fmt.Sprint(task.TaskID))
		span.SetTraceID(trace)
		id := name
		if step, found := attrs[lifecycle.AttrStepName]; found {
			id = fmt.Sprint(step)
		}
		span.SetSpanID(lifecycle.SpanID(trace, name, id, when.Start))
		span.SetStartTimestamp(pcommon.Timestamp(when.Start))
		span.SetEndTimestamp(pcommon.Timestamp(when.End))
		attrs[lifecycle.AttrTaskID] = task.TaskID
		attrs[lifecycle.AttrTaskName] = task.TaskName
		if err := span.Attributes().FromRaw(attrs); err != nil {
			panic(err)
		}
	}
	took := func(when interval) int64 { return when.End - when.Start }
	name := "task_name=" + task.TaskName

	add(lifecycle.SpanTask, task.interval, map[string]any{lifecycle.AttrStatus: outcome(task.Status)})
	wanted.add("tasker.task.executions", "status="+outcome(task.Status)+" "+name, 0)
	wanted.add("tasker.task.duration", "status="+outcome(task.Status)+" "+name, took(task.interval))
	for _, wait := range task.QueueWaits {
		add(lifecycle.SpanQueued, wait, map[string]any{})
		wanted.add("tasker.task.queue.duration", name, took(wait))
	}
	for _, wait := range task.Backoffs {
		step := fmt.Sprint("step", wait.StepID)
		add(lifecycle.SpanBackoff, wait.interval, map[string]any{lifecycle.AttrStepName: step})
		wanted.add("tasker.step.backoff.duration", "step_name="+step+" "+name, took(wait.interval))
	}
	for _, pass := range task.Passes {
		add(lifecycle.SpanOrchestration, pass.interval, map[string]any{})
		wanted.add("tasker.orchestration.duration", name, took(pass.interval))
		for _, batch := range pass.Batches {
			add(lifecycle.SpanBatch, batch.interval, map[string]any{lifecycle.AttrBatchSize: len(batch.Steps)})
			wanted.add("tasker.batch.duration", name, took(batch.interval))
			wanted.add("tasker.batch.size", name, int64(len(batch.Steps))*1e9)
			for _, step := range batch.Steps {
				attrs := map[string]any{
					lifecycle.AttrStepName: step.Name, lifecycle.AttrAttemptNumber: step.Attempt,
					lifecycle.AttrStatus: outcome(step.Status),
				}
				labels := "step_name=" + step.Name + " " + name
				if step.Error != "" {
					attrs[lifecycle.AttrErrorType] = step.Error
					wanted.add("tasker.errors", "error.type="+step.Error+" "+labels, 0)
				}
				if step.Attempt > 1 {
					wanted.add("tasker.step.retries", labels, 0)
				}
				add(lifecycle.SpanStep, step.interval, attrs)
				wanted.add("tasker.step.executions", "status="+outcome(step.Status)+" "+labels, 0)
				wanted.add("tasker.step.duration", "status="+outcome(step.Status)+" "+labels, took(step.interval))
			}
		}
	}
	return td
}

// TestSpansAgainstTruth measures the spans of real runs, in any order and some of them twice, and compares every count and
// sum exactly.
func TestSpansAgainstTruth(t *testing.T) {
	for _, stream := range []string{"order_processing", "mixed", "planned"} {
		t.Run(stream, func(t *testing.T) {
			wanted := expectations{}
			var batches []ptrace.Traces
			for _, task := range readTruth(t, stream) {
				batches = append(batches, finishedSpans(task, wanted))
			}
			random := rand.New(rand.NewPCG(1, uint64(len(batches))))
			random.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })

			p := newPair(t, nil)
			for i, td := range batches {
				p.consumeTraces(t, td)
				if i%3 == 0 {
					p.consumeTraces(t, batches[random.IntN(i+1)])
				}
			}
			p.stop(t)

			for metric, want := range wanted {
				got := read(p.sink.last(), metric)
				require.Len(t, got, len(want), metric)
				for labels, sum := range want {
					require.Equal(t, sum.count, got[labels].count, "%s {%s}", metric, labels)
					require.Equal(t, float64(sum.nanos)/1e9, got[labels].sum, "%s {%s}", metric, labels)
				}
			}
		})
	}
}

// item is one line of a stream.
type item struct {
	Event      string         `json:"event"`
	OccurredAt time.Time      `json:"occurred_at"`
	Service    string         `json:"service"`
	Payload    map[string]any `json:"payload"`
}

// readEvents returns the records that the receiver makes from a stream.
func readEvents(t testing.TB, stream string) (plog.Logs, []item) {
	t.Helper()
	file, err := os.Open(filepath.Join(streams, stream+".ndjson"))
	require.NoError(t, err)
	defer file.Close()
	ld, records := shopLogs()
	var items []item
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var it item
		require.NoError(t, json.Unmarshal(lines.Bytes(), &it))
		items = append(items, it)
		record := records.AppendEmpty()
		record.SetEventName(it.Event)
		record.SetTimestamp(pcommon.NewTimestampFromTime(it.OccurredAt))
		if id, found := it.Payload["task_id"]; found {
			record.SetTraceID(lifecycle.TraceID("", it.Service, fmt.Sprint(id)))
		}
		for _, key := range slices.Sorted(maps.Keys(it.Payload)) {
			if value := it.Payload[key]; value != nil {
				require.NoError(t, record.Attributes().PutEmpty(lifecycle.AttributePrefix+key).FromRaw(value))
			}
		}
	}
	require.NoError(t, lines.Err())
	return ld, items
}

// TestEventsAgainstStream counts a stream in a shuffled order, half of it twice, and checks that no task or step remains
// open.
func TestEventsAgainstStream(t *testing.T) {
	tests := []struct {
		stream     string
		reenqueues uint64
	}{
		{"mixed", 22}, {"planned", 6},
	}
	for _, test := range tests {
		t.Run(test.stream, func(t *testing.T) {
			ld, items := readEvents(t, test.stream)
			events, discoveries, queries := map[string]uint64{}, uint64(0), uint64(0)
			for _, it := range items {
				events["event="+it.Event]++
				if it.Payload["step_names"] != nil {
					discoveries++
				}
				if it.Event == lifecycle.DatabaseQueryExecuted {
					queries++
				}
			}
			// The streams' date must not matter.
			p := newPair(t, func(cfg *Config) { cfg.ActiveMaxAge = 100 * 365 * 24 * time.Hour })
			for i, shuffled := range shuffledBatches(ld) {
				p.consumeLogs(t, shuffled)
				if i%2 == 0 {
					p.consumeLogs(t, shuffled)
				}
			}
			p.stop(t)

			md := p.sink.last()
			require.Equal(t, events, counts(read(md, "tasker.events")))
			require.Equal(t, discoveries, read(md, "tasker.workflow.viable_steps")[""].count)
			total := uint64(0)
			for _, reason := range read(md, "tasker.task.reenqueues") {
				total += reason.count
			}
			require.Equal(t, test.reenqueues, total)
			require.Equal(t, queries, sumOf(counts(read(md, "tasker.sql.queries"))))
			require.Equal(t, queries, sumOf(counts(read(md, "tasker.sql.duration"))))
			require.NotEmpty(t, read(md, "tasker.tasks.active"))
			require.NotEmpty(t, read(md, "tasker.steps.active"))
			for labels, p := range read(md, "tasker.tasks.active") {
				require.Zero(t, p.gauge, labels)
			}
			for labels, p := range read(md, "tasker.steps.active") {
				require.Zero(t, p.gauge, labels)
			}
		})
	}
}

func sumOf(counts map[string]uint64) (sum uint64) {
	for _, count := range counts {
		sum += count
	}
	return sum
}

// shuffledBatches splits the records, in random order, into batches of 100.
func shuffledBatches(ld plog.Logs) []plog.Logs {
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	order := rand.New(rand.NewPCG(7, 8)).Perm(records.Len())
	var batches []plog.Logs
	var into plog.LogRecordSlice
	for i, index := range order {
		if i%100 == 0 {
			var batch plog.Logs
			batch, into = shopLogs()
			batches = append(batches, batch)
		}
		records.At(index).CopyTo(into.AppendEmpty())
	}
	return batches
}
