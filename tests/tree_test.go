// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// Parameters of the disorder that streams are subjected to.
const (
	connections = 16
	batchLines  = 200
	resendEvery = 10
)

// manyTasks returns a large stream.
func manyTasks() ([][]byte, []streamtest.Task) {
	return streamtest.Generate(streamtest.Options{Tasks: 2000, Seed: 11, Failures: true, Planned: true, FirstID: 1, SpacingMS: 20})
}

// twoApplications returns a stream of two applications with equal task and step IDs at the same time.
func twoApplications() ([][]byte, []streamtest.Task) {
	shop, shopTruth := streamtest.Generate(streamtest.Options{Tasks: 50, Seed: 12, Failures: true})
	billing, billingTruth := streamtest.Generate(streamtest.Options{Tasks: 50, Seed: 13, Failures: true, Service: "billing"})
	return streamtest.Interleave(1, shop, billing), append(shopTruth, billingTruth...)
}

// shuffledBatches shuffles all lines and repeats every tenth batch.
func shuffledBatches(lines [][]byte, seed uint64) [][][]byte {
	return streamtest.Resend(streamtest.Batches(streamtest.Shuffle(lines, len(lines), seed), batchLines), resendEvery)
}

// equal fails with the differences, one per line.
func equal(t *testing.T, differences []string) {
	t.Helper()
	if len(differences) > 0 {
		t.Errorf("%d differences:\n%s", len(differences), strings.Join(differences, "\n"))
	}
}

// TestExactTrees checks that the spans equal the truth with any order, repetitions and number of connections.
func TestExactTrees(t *testing.T) {
	t.Parallel()
	load := func(name string) func() ([][]byte, []streamtest.Task) {
		return func() ([][]byte, []streamtest.Task) {
			lines, truth, err := streamtest.Load(name)
			require.NoError(t, err)
			return lines, truth
		}
	}
	for _, test := range []struct {
		name   string
		stream func() ([][]byte, []streamtest.Task)
	}{
		{streamtest.OrderProcessing, load(streamtest.OrderProcessing)},
		{streamtest.Mixed, load(streamtest.Mixed)},
		{streamtest.Planned, load(streamtest.Planned)},
		{"generated", manyTasks},
		{"two applications with the same task ids", twoApplications},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lines, truth := test.stream()
			sink := newSink(t)
			c := start(t, sink)
			c.sendNDJSON(connections, shuffledBatches(lines, 1))
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
		})
	}
}

// TestRealStreams checks that captured streams of the real engine result in what was measured around its calls.
func TestRealStreams(t *testing.T) {
	t.Parallel()
	for _, name := range []string{streamtest.RealLinear, streamtest.RealRetry} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.LoadReal(name)
			require.NoError(t, err)
			sink := newSink(t)
			c := start(t, sink)
			c.sendNDJSON(connections, shuffledBatches(lines, 2))
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.CompareReal(truth, sink.all()))
		})
	}
}

// TestSameIDs checks that two collectors that receive a stream in different orders generate the same trace and span IDs.
func TestSameIDs(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	var runs [2][]string
	for i := range runs {
		sink := newSink(t)
		c := start(t, sink)
		c.sendNDJSON(connections, shuffledBatches(lines, uint64(100+i)))
		awaitTasks(t, sink, len(truth))
		assert.Zero(t, c.stop())
		for _, span := range sink.all() {
			runs[i] = append(runs[i], span.TraceText()+" "+span.SpanText()+" "+span.Name)
		}
		slices.Sort(runs[i])
	}
	assert.Equal(t, runs[0], runs[1])
}

// TestEventsOverOTLP checks that the same events as OTLP logs, named with or without the prefix, result in the same trees.
func TestEventsOverOTLP(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(*collector, [][][]byte){
		"plain names":    func(c *collector, batches [][][]byte) { c.sendOTLP("", batches) },
		"prefixed names": func(c *collector, batches [][][]byte) { c.sendOTLP("tasker.", batches) },
		"tasker_events":  func(c *collector, batches [][][]byte) { c.sendLogs("tasker.", batches) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.Load(streamtest.Mixed)
			require.NoError(t, err)
			sink := newSink(t)
			c := start(t, sink)
			send(c, shuffledBatches(lines, 3))
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
		})
	}
}

// TestEventsOverAllWays: parts of each task's events come as JSON, as OTLP, and as OTLP to tasker_events; some come two ways.
func TestEventsOverAllWays(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Planned)
	require.NoError(t, err)
	lines = streamtest.Shuffle(lines, len(lines), 4)
	sink := newSink(t)
	c := start(t, sink)
	c.sendOTLP("", streamtest.Batches(lines[:len(lines)*5/10], batchLines))
	c.sendLogs("tasker.", streamtest.Batches(lines[len(lines)*3/10:len(lines)*7/10], batchLines))
	c.sendNDJSON(connections, streamtest.Batches(lines[len(lines)*6/10:], batchLines))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// TestStopMidStream checks that a graceful stop emits open tasks, marked as incomplete, and ended ones unchanged.
func TestStopMidStream(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	cut := len(lines) / 2
	ended, open := progress(t, lines, cut, truth)
	require.NotEmpty(t, ended)
	require.NotEmpty(t, open)

	sink := newSink(t)
	c := start(t, sink)
	c.sendNDJSON(connections, streamtest.Batches(lines[:cut], batchLines))
	assert.Zero(t, c.stop())

	spans := sink.all()
	equal(t, streamtest.WellFormed(spans))
	var finished []streamtest.Span
	incomplete := map[int64]int{}
	for _, span := range spans {
		id, ok := span.Attributes[lifecycle.AttrTaskID].(int64)
		require.True(t, ok, "%v", span)
		if slices.ContainsFunc(ended, func(task streamtest.Task) bool { return task.TaskID == id }) {
			finished = append(finished, span)
		}
		if span.Name == lifecycle.SpanTask && open[id] {
			assert.Equal(t, true, span.Attributes[lifecycle.AttrIncomplete], "task %d", id)
			assert.Equal(t, "shutdown", span.Attributes[lifecycle.AttrReleaseReason], "task %d", id)
			incomplete[id]++
		}
	}
	equal(t, streamtest.Compare(ended, finished))
	for id := range open {
		assert.Equal(t, 1, incomplete[id], "spans of the open task %d", id)
	}
}

// progress returns the tasks with all their events before the cut, and those that have begun but not announced their end.
func progress(t *testing.T, lines [][]byte, cut int, truth []streamtest.Task) (ended []streamtest.Task, open map[int64]bool) {
	t.Helper()
	open = map[int64]bool{}
	after := map[int64]bool{}
	for i, line := range lines {
		item, err := streamtest.Parse(line)
		require.NoError(t, err)
		id := item.Payload.TaskID
		switch {
		case i >= cut:
			after[id] = true
		case item.Event == lifecycle.TaskCompleted || item.Event == lifecycle.TaskFailed:
			open[id] = false
		default:
			if _, known := open[id]; !known {
				open[id] = true
			}
		}
	}
	for id, is := range open {
		if !is {
			delete(open, id)
		}
	}
	for _, task := range truth {
		if !after[task.TaskID] {
			ended = append(ended, task)
		}
	}
	return ended, open
}
