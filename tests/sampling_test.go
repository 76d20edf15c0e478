// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// sampledTasks returns the tasks of which a destination has received a span.
func sampledTasks(p *product) map[int64]bool {
	kept := map[int64]bool{}
	for _, span := range p.all() {
		if id, is := span.Attributes[lifecycle.AttrTaskID].(int64); is && span.Name == lifecycle.SpanTask {
			kept[id] = true
		}
	}
	return kept
}

// anyFailed reports whether a task or one of its attempts failed.
func anyFailed(task *streamtest.Task) bool {
	if task.Status != streamtest.OutcomeOK {
		return true
	}
	for _, pass := range task.Orchestrations {
		for _, batch := range pass.Batches {
			if slices.ContainsFunc(batch.Steps, func(a streamtest.Attempt) bool { return a.Status != streamtest.OutcomeOK }) {
				return true
			}
		}
	}
	return false
}

// withoutEnd removes the second half of a task's lines.
func withoutEnd(t *testing.T, lines [][]byte, task int64) [][]byte {
	t.Helper()
	mine := func(line []byte) bool { return bytes.Contains(line, fmt.Appendf(nil, `"task_id":%d,`, task)) }
	total, seen := 0, 0
	for _, line := range lines {
		if mine(line) {
			total++
		}
	}
	require.Greater(t, total, 10)
	return slices.DeleteFunc(slices.Clone(lines), func(line []byte) bool {
		if !mine(line) {
			return false
		}
		seen++
		return seen > total/2
	})
}

// TestTailSampling checks that with examples/tail-sampling.yaml all metrics are exact, the traces of all failed, slow and
// incomplete tasks arrive completely, and a share of the others.
func TestTailSampling(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 300, Seed: 90, Failures: true})
	// The slowest tenth is considered slow.
	seconds := make([]float64, len(truth))
	for i := range truth {
		seconds[i] = truth[i].Seconds()
	}
	slices.Sort(seconds)
	slow := seconds[len(seconds)*9/10]
	// The task without an end would otherwise be successful and quick.
	open := slices.IndexFunc(truth, func(task streamtest.Task) bool { return !anyFailed(&task) && task.Seconds() < slow })
	require.GreaterOrEqual(t, open, 0)
	endless := truth[open].TaskID
	lines = withoutEnd(t, lines, endless)
	ended := slices.Delete(slices.Clone(truth), open, open+1)

	tempo := newTempo(t)
	// For emission in parts the example has other settings.
	parts := filepath.Join(t.TempDir(), "parts.yaml")
	require.NoError(t, os.WriteFile(parts, []byte("processors: {span_hierarchy: {emit: parts}}\n"), 0o600))
	c := startShipped(t, settings{files: []string{"../config.yaml", parts, "../examples/send-on.yaml", "../examples/tail-sampling.yaml"}}.with(
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath, "TASKER_RECORDS_EXPORTER=debug/records",
		"TASKER_SAMPLING_PERCENTAGE=20", fmt.Sprintf("TASKER_SAMPLING_SLOW_MS=%d", int(slow*1000))))
	c.send(lines)

	metrics := measured()
	maps.DeleteFunc(metrics, func(name string, _ []string) bool {
		return !strings.HasPrefix(name, "tasker_task_") && !strings.HasPrefix(name, "tasker_step_") || strings.HasPrefix(name, "tasker_task_reenqueues")
	})
	want := expected(t, lines, ended)
	want.keep(metrics)
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(openMetrics), metrics)) })
	require.Zero(t, c.stop(), "which emits the task without an end")
	c.restart() // and the queue is sent

	must := map[int64]bool{endless: true}
	for i := range ended {
		if anyFailed(&ended[i]) || ended[i].Seconds() >= slow {
			must[ended[i].TaskID] = true
		}
	}
	missing := func() (ids []int64) {
		kept := sampledTasks(tempo)
		for id := range must {
			if !kept[id] {
				ids = append(ids, id)
			}
		}
		return ids
	}
	await(t, time.Minute, "all tasks that matter", func() bool { return len(missing()) == 0 }, func() any { return missing() })
	require.Zero(t, c.stop())

	kept := sampledTasks(tempo)
	rest, keptOfRest := len(truth)-len(must), len(kept)-len(must)
	assert.Greater(t, rest, 100)
	// Five standard deviations of a share of 20 %.
	assert.InDelta(t, 0.2*float64(rest), float64(keptOfRest), 5*0.4*14, "%d of %d others", keptOfRest, rest)
	whole := slices.DeleteFunc(ended, func(task streamtest.Task) bool { return !kept[task.TaskID] })
	spans := slices.DeleteFunc(unique(t, tempo.all()), func(span streamtest.Span) bool {
		return span.TraceID == lifecycle.TraceID("", truth[open].Service, strconv.FormatInt(endless, 10))
	})
	equal(t, streamtest.Compare(whole, spans))
}

// TestTailSamplingKill kills the process while tail_sampling holds trees without a decision. None is lost.
func TestTailSamplingKill(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 120, Seed: 91, Failures: true})
	tempo := newTempo(t)
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml", "../examples/tail-sampling.yaml"}}.with(
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath, "TASKER_RECORDS_EXPORTER=debug/records", "TASKER_SAMPLING_PERCENTAGE=100"))
	for i := range 3 {
		c.send(lines[len(lines)*i/3 : len(lines)*(i+1)/3])
		before := c.ownMetric("otelcol_processor_span_hierarchy_trees", "")
		await(t, time.Minute, "trees that were emitted", func() bool { return c.ownMetric("otelcol_processor_span_hierarchy_trees", "") > before || i == 0 },
			func() any { return before })
		require.NoError(t, c.cmd.Process.Kill())
		<-c.exited
		c.restart()
	}
	awaitTasks(t, tempo.sink, len(truth))
	require.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, unique(t, tempo.all())))
}
