// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// assembled returns the spans of the lines as text, assembled without a collector, and the number of trees.
func assembled(t *testing.T, lines [][]byte) (spans []string, trees int) {
	t.Helper()
	source := eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	_, err := offline.Assemble(t.Context(), source, offline.Options{Tree: func(tree *tree.Tree) {
		trees++
		for _, s := range tree.Spans {
			spans = append(spans, fmt.Sprintf("%x %x %x %s %d %d", tree.Trace, s.ID, s.Parent, s.Name, s.Start, s.End))
		}
	}})
	require.NoError(t, err)
	slices.Sort(spans)
	return spans, trees
}

// TestScenarios checks that retries, resets, cancellations and killed workers result in the trees of the golden files, with
// shuffled and repeated events.
func TestScenarios(t *testing.T) {
	t.Parallel()
	var lines [][]byte
	for _, s := range streamtest.Scenarios() {
		lines = append(lines, s.Lines...)
	}
	want, trees := assembled(t, lines)
	sink := newSink(t)
	c := start(t, sink, "processors: {span_hierarchy: {settle_timeout: 8s}}")
	c.sendNDJSON(connections, shuffledBatches(lines, 3))
	awaitTasks(t, sink, trees-1) // one never ends
	assert.Zero(t, c.stop())
	var got []string
	for _, s := range sink.all() {
		got = append(got, fmt.Sprintf("%x %x %x %s %d %d", s.TraceID, s.SpanID, s.ParentID, s.Name, s.Start, s.End))
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
}

// TestTimesOfASecond checks that without occurred_at, and out of order, passes, batches and attempts equal the truth. Some
// announcements are then equal, in different requests, and treated as duplicates, so that their trees settle.
func TestTimesOfASecond(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 5, Failures: true})
	clock := regexp.MustCompile(`"occurred_at":"[^"]*",`)
	for i, line := range lines {
		lines[i] = clock.ReplaceAll(line, nil)
	}
	want := map[string]int{}
	for i := range truth {
		want["tasker.task.execution "+truth[i].Status]++
		for _, o := range truth[i].Orchestrations {
			want["tasker.workflow.orchestration"]++
			want["tasker.batch.execution"] += len(o.Batches)
		}
		for _, a := range truth[i].Attempts() {
			want["tasker.step.execution "+a.Status]++
		}
	}
	sink := newSink(t)
	c := start(t, sink, "processors: {span_hierarchy: {settle_timeout: 8s}}")
	c.sendNDJSON(1, streamtest.Batches(streamtest.Shuffle(lines, 100, 4), batchLines))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.WellFormed(sink.all()))
	got := map[string]int{}
	for _, s := range sink.all() {
		switch s.Name {
		case "tasker.task.execution", "tasker.step.execution":
			got[s.Name+" "+s.Status]++
		case "tasker.workflow.orchestration", "tasker.batch.execution":
			got[s.Name]++
		}
		assert.Less(t, time.Duration(s.End-s.Start), time.Hour)
	}
	assert.Equal(t, want, got)
}
