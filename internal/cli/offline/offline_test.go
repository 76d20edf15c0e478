// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func late() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }

// treeSummary is the part of a tree that tests compare.
type treeSummary struct {
	task, service, status string
	reason                tree.Reason
}

func summarize(tree *tree.Tree) treeSummary {
	t := treeSummary{reason: tree.Reason}
	for _, a := range tree.Resource.Attributes {
		if a.Key == lifecycle.AttrServiceName {
			t.service = a.Value.Text
		}
	}
	for _, a := range tree.Spans[0].Attributes {
		switch a.Key {
		case lifecycle.AttrTaskID:
			t.task = a.Value.Text
			if a.Value.Kind == attribute.KindInt {
				t.task = fmt.Sprint(a.Value.Int)
			}
		case lifecycle.AttrStatus:
			t.status = a.Value.Text
		}
	}
	return t
}

func assemble(t *testing.T, in io.Reader, options offline.Options) ([]treeSummary, []string, offline.Counts, error) {
	t.Helper()
	var trees []treeSummary
	var refused []string
	options.Now = late
	options.Tree = func(tree *tree.Tree) { trees = append(trees, summarize(tree)) }
	options.Refused = func(where, field, reason, _ string) { refused = append(refused, where+" "+field+" "+reason) }
	counts, err := offline.Assemble(t.Context(), eventfile.NewSource([]string{eventfile.Stdin}, in), options)
	return trees, refused, counts, err
}

func stream(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../tests/streamtest/testdata/" + name + ".ndjson")
	require.NoError(t, err)
	return string(text)
}

func TestAssemble(t *testing.T) {
	trees, refused, counts, err := assemble(t, strings.NewReader(stream(t, "mixed")), offline.Options{})
	require.NoError(t, err)
	assert.Empty(t, refused)
	assert.Equal(t, 3545, counts.Events)
	byStatus := map[string]int{}
	tasks := map[string]bool{}
	for _, tree := range trees {
		byStatus[tree.status]++
		tasks[tree.task] = true
	}
	assert.Equal(t, 3, byStatus["failure"])
	assert.Len(t, tasks, len(trees), "no task has two trees")
}

func TestOnlyTheWantedTasks(t *testing.T) {
	trees, _, counts, err := assemble(t, strings.NewReader(stream(t, "mixed")), offline.Options{Tasks: []string{"5", "15", "no such"}})
	require.NoError(t, err)
	assert.ElementsMatch(t, []treeSummary{{"5", "shop", "failure", tree.ReasonShutdown}, {"15", "shop", "success", tree.ReasonShutdown}}, trees)
	assert.Equal(t, 3545, counts.Events)
}

func TestRefused(t *testing.T) {
	text := `{"event":"handler.registered","payload":{}}` + "\n" +
		"nonsense\n" +
		`{"event":"task.completed","payload":{"task_id":"a"},"occurred_at":"soon"}` + "\n" +
		`{"event":"task.cancelled","payload":{"task_id":"a"},"occurred_at":"2026-06-01T12:00:00Z"}` + "\n"
	trees, refused, counts, err := assemble(t, strings.NewReader(text), offline.Options{Service: "mine"})
	require.NoError(t, err)
	assert.Equal(t, []treeSummary{{"a", "mine", "cancelled", tree.ReasonShutdown}}, trees)
	assert.Equal(t, []string{
		`stdin:2  "nonsense" is not a JSON object`,
		"stdin:3 occurred_at occurred_at is not a time of RFC 3339",
	}, refused)
	assert.Equal(t, offline.Counts{Events: 2, Refused: 2}, counts)
}

// All invalid items are counted, even if the decoder lists fewer.
func TestManyRefused(t *testing.T) {
	_, refused, counts, err := assemble(t, strings.NewReader(strings.Repeat("{}\n", 2500)), offline.Options{})
	require.NoError(t, err)
	assert.Equal(t, 2500, counts.Refused)
	assert.Equal(t, "stdin:1 event event is missing", refused[0])
	assert.Equal(t, "stdin:1001 event event is missing", refused[100])
}

func TestWhatWasReadIsShown(t *testing.T) {
	broken := errors.New("broken disk")
	in := io.MultiReader(strings.NewReader(stream(t, "order_processing")), iotest.ErrReader(broken))
	trees, _, _, err := assemble(t, in, offline.Options{})
	assert.ErrorIs(t, err, broken)
	assert.Len(t, trees, 1)
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	trees := 0
	_, err := offline.Assemble(ctx, eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader(stream(t, "mixed"))),
		offline.Options{Now: late, Tree: func(*tree.Tree) { trees++ }})
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotZero(t, trees)
}
