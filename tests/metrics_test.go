// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// measured returns the metrics for which the truth has exact values, with their labels.
func measured() map[string][]string {
	byTask, byStep := []string{"task_name"}, []string{"task_name", "step_name"}
	metrics := map[string][]string{
		"tasker_task_executions_total": {"task_name", "status"},
		"tasker_step_executions_total": {"task_name", "step_name", "status"},
		"tasker_step_retries_total":    byStep,
		"tasker_errors_total":          {"task_name", "step_name", "error_type"},
		"tasker_events_total":          {"event"},
		"tasker_sql_queries_total":     {"db_operation_name", "db_collection_name"},
		"tasker_task_reenqueues_total": {"reason"},
	}
	for name, labels := range map[string][]string{
		"tasker_task_duration_seconds":          {"task_name", "status"},
		"tasker_step_duration_seconds":          {"task_name", "step_name", "status"},
		"tasker_batch_duration_seconds":         byTask,
		"tasker_batch_size":                     byTask,
		"tasker_orchestration_duration_seconds": byTask,
		"tasker_task_queue_duration_seconds":    byTask,
		"tasker_step_backoff_duration_seconds":  byStep,
		"tasker_sql_duration_seconds":           {"db_operation_name", "db_collection_name"},
		"tasker_workflow_viable_steps":          nil,
	} {
		metrics[name+"_count"], metrics[name+"_sum"] = labels, labels
	}
	return metrics
}

// expected returns the expected values of the measured metrics.
func expected(t *testing.T, lines [][]byte, truth []streamtest.Task) numbers {
	t.Helper()
	return observed(t, lines, truth, func(string, float64, ...string) {})
}

// observed returns the expected values of the measured metrics, and calls each with every value of a histogram.
func observed(t *testing.T, lines [][]byte, truth []streamtest.Task, each func(name string, value float64, labels ...string)) numbers {
	t.Helper()
	n := numbers{}
	observe := func(name string, value float64, labels ...string) {
		n.add(1, name+"_count", labels...)
		n.add(value, name+"_sum", labels...)
		each(name, value, labels...)
	}
	status := map[string]string{streamtest.OutcomeOK: "success", streamtest.OutcomeError: "failure"}
	for i := range truth {
		task := &truth[i]
		name := []string{"task_name", task.TaskName}
		n.add(1, "tasker_task_executions_total", append(name, "status", status[task.Status])...)
		observe("tasker_task_duration_seconds", task.Seconds(), append(name, "status", status[task.Status])...)
		stepNames := map[int64]string{}
		for _, o := range task.Orchestrations {
			observe("tasker_orchestration_duration_seconds", o.Seconds(), name...)
			for _, b := range o.Batches {
				observe("tasker_batch_duration_seconds", b.Seconds(), name...)
				observe("tasker_batch_size", float64(len(b.Steps)), name...)
				for _, a := range b.Steps {
					stepNames[a.StepID] = a.StepName
					step := append(name, "step_name", a.StepName)
					n.add(1, "tasker_step_executions_total", append(step, "status", status[a.Status])...)
					observe("tasker_step_duration_seconds", a.Seconds(), append(step, "status", status[a.Status])...)
					if a.Attempt > 1 {
						n.add(1, "tasker_step_retries_total", step...)
					}
					if a.Error != "" {
						n.add(1, "tasker_errors_total", append(step, "error_type", a.Error)...)
					}
				}
			}
		}
		if further := len(task.Orchestrations) - 1; further > 0 {
			n.add(float64(further), "tasker_task_reenqueues_total", "reason", "waiting_for_dependencies")
		}
		for _, wait := range task.QueueWaits {
			observe("tasker_task_queue_duration_seconds", wait.Seconds(), name...)
		}
		for _, b := range task.Backoffs {
			observe("tasker_step_backoff_duration_seconds", b.Seconds(), append(name, "step_name", stepNames[b.StepID])...)
		}
		if task.Queries > 0 {
			n.add(float64(task.Queries), "tasker_sql_queries_total", "db_operation_name", "SELECT", "db_collection_name", "orders")
		}
	}
	for _, line := range lines {
		observePayload(t, line, observe)
	}
	counts, err := streamtest.CountEvents(lines)
	require.NoError(t, err)
	for event, count := range counts {
		if becomesMetric(event) {
			n.add(float64(count), "tasker_events_total", "event", event)
		}
	}
	return n
}

// observePayload observes the values that only a payload has.
func observePayload(t *testing.T, line []byte, observe func(name string, value float64, labels ...string)) {
	var item struct {
		Event   string `json:"event"`
		Payload struct {
			Duration    float64  `json:"duration"`
			StepNames   []string `json:"step_names"`
			ViableCount float64  `json:"viable_count"`
		} `json:"payload"`
	}
	require.NoError(t, json.Unmarshal(line, &item))
	switch {
	case item.Event == lifecycle.DatabaseQueryExecuted:
		observe("tasker_sql_duration_seconds", item.Payload.Duration, "db_operation_name", "SELECT", "db_collection_name", "orders")
	case item.Event == lifecycle.WorkflowViableStepsDiscovered && item.Payload.StepNames != nil:
		observe("tasker_workflow_viable_steps", item.Payload.ViableCount)
	}
}

// becomesMetric applies the built-in map and the tests' default_signals.
func becomesMetric(event string) bool {
	for _, route := range lifecycle.DefaultRoutes() {
		if route.Event == event {
			return route.Signals.Has(lifecycle.SignalMetrics)
		}
	}
	return true
}

// TestExactMetrics checks the scrape, in both formats, and the table against the truth, with repeated events.
func TestExactMetrics(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 300, Seed: 5, Failures: true, Planned: true})
	want := expected(t, lines, truth)
	sink := newSink(t)
	c := start(t, sink)
	c.sendNDJSON(connections, shuffledBatches(lines, 5))
	awaitTasks(t, sink, len(truth))
	metrics := measured()
	for _, format := range []string{openMetrics, plainText} {
		awaitEqual(t, "exact metrics in "+format, func() []string { return want.differences(collect(c.samples(format), metrics)) })
	}
	t.Run("exemplars", func(t *testing.T) { exemplarsLeadToTraces(t, c, truth) })
	t.Run("nothing is active", func(t *testing.T) {
		for _, s := range c.samples(plainText) {
			if s.name == "tasker_tasks_active" || s.name == "tasker_steps_active" {
				assert.Zero(t, s.value, "%s %v", s.name, s.labels)
			}
		}
	})
	assert.Zero(t, c.stop())
	t.Run("csv", func(t *testing.T) { checkTable(t, c.csv, truth) })
	t.Run("structured records", func(t *testing.T) {
		once, again := facts(t, sink.allRecords())
		assert.Zero(t, again)
		equal(t, streamtest.CompareRecords(truth, once, shippedFacts()...))
	})
}

// exemplarsLeadToTraces checks that the exemplars of tasks' durations refer to traces of the truth, and that they remain
// for longer than a flush, because Prometheus scrapes less often.
func exemplarsLeadToTraces(t *testing.T, c *collector, truth []streamtest.Task) {
	traces := map[string]bool{}
	for _, task := range truth {
		id := lifecycle.TraceID("", task.Service, strconv.FormatInt(task.TaskID, 10))
		traces[hex.EncodeToString(id[:])] = true
	}
	const flushes = 3
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for i := range flushes {
		found := 0
		for _, s := range c.samples(openMetrics) {
			if s.name == "tasker_task_duration_seconds_bucket" && s.trace != "" {
				assert.True(t, traces[s.trace], "trace %s is of no task", s.trace)
				found++
			}
		}
		assert.Positive(t, found, "exemplars after %d flushes", i)
		<-tick.C
	}
}

// checkTable reads the table as a spreadsheet does, and adds up the executions of tasks.
func checkTable(t *testing.T, path string, truth []streamtest.Task) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll() // rejects rows of different lengths
	require.NoError(t, err)
	require.NotEmpty(t, rows)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	require.Contains(t, column, "name")
	require.Contains(t, column, "value")
	executions := 0.0
	for _, row := range rows[1:] {
		if row[column["name"]] == "tasker.task.executions" {
			value, err := strconv.ParseFloat(row[column["value"]], 64)
			require.NoError(t, err)
			executions += value
		}
	}
	assert.Equal(t, float64(len(truth)), executions)
}

// TestSentAgainLater resends a complete stream after its tasks were emitted and measured: nothing changes.
func TestSentAgainLater(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	marker, markerTruth := streamtest.Generate(streamtest.Options{Tasks: 1, Seed: 1, FirstID: 100_000})
	sink := newSink(t)
	c := start(t, sink)
	c.sendNDJSON(connections, shuffledBatches(lines, 7))
	awaitTasks(t, sink, len(truth))
	c.sendNDJSON(connections, shuffledBatches(lines, 8))
	c.sendNDJSON(1, streamtest.Batches(marker, batchLines)) // when its span arrives, the resent events have been processed
	awaitTasks(t, sink, len(truth)+1)

	lines, truth = append(lines, marker...), append(truth, markerTruth...)
	want := expected(t, lines, truth)
	awaitEqual(t, "unchanged metrics", func() []string { return want.differences(collect(c.samples(openMetrics), measured())) })
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// TestPromtool checks the scrape with Prometheus' linter.
func TestPromtool(t *testing.T) {
	if os.Getenv("TASKER_PEERS") != "1" {
		t.Skip("needs a peer: set TASKER_PEERS=1 where promtool is installed")
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("needs a peer: promtool is not installed")
	}
	lines, truth, err := streamtest.Load(streamtest.Planned)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink)
	c.sendNDJSON(connections, shuffledBatches(lines, 6))
	awaitTasks(t, sink, len(truth))
	var body []byte
	await(t, 20*time.Second, "metrics of tasks", func() bool {
		body, _ = c.scrapeText(plainText)
		return bytes.Contains(body, []byte("tasker_task_executions_total"))
	}, func() any { return string(body) })
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(body)
	answer, err := check.CombinedOutput()
	assert.NoError(t, err, "%s", answer)
}
