// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/waterfall"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	assert.Equal(t, string(want), got, path)
}

// assemble returns the trees of a task of a stream, without the lines that keep rejects.
func assemble(t *testing.T, stream, task string, keep func(line string) bool) []*tree.Tree {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "tests", "streamtest", "testdata", stream+".ndjson"))
	require.NoError(t, err)
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if keep == nil || keep(line) {
			kept.WriteString(line)
		}
	}
	var trees []*tree.Tree
	_, err = offline.Assemble(t.Context(), eventfile.NewSource([]string{eventfile.Stdin}, strings.NewReader(kept.String())), offline.Options{
		Tasks: []string{task},
		Now:   func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) },
		Tree:  func(tree *tree.Tree) { trees = append(trees, tree.Clone()) },
	})
	require.NoError(t, err)
	require.NotEmpty(t, trees)
	return trees
}

func draw(t *testing.T, trees []*tree.Tree, options waterfall.Options) string {
	t.Helper()
	var out bytes.Buffer
	for i, tree := range trees {
		if i > 0 {
			out.WriteByte('\n')
		}
		require.NoError(t, waterfall.Draw(&out, tree, options))
	}
	width := options.Width
	if width == 0 {
		width = waterfall.DefaultWidth
	}
	if !options.Palette {
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "  trace ") {
				continue // never wrapped, so that it can be copied
			}
			assert.LessOrEqual(t, terminal.Width(line), max(width, waterfall.MinWidth), line)
		}
	}
	return out.String()
}

// until returns a filter that keeps the events of a task before the n-th of a name. Other tasks' events are kept too.
func until(task, event string, n int) func(string) bool {
	return func(line string) bool {
		if n > 0 && strings.Contains(line, `"task_id":`+task+`,`) && strings.Contains(line, `"event":"`+event+`"`) {
			n--
		}
		return n > 0 || !strings.Contains(line, `"task_id":`+task+`,`)
	}
}

func without(events ...string) func(string) bool {
	return func(line string) bool {
		for _, event := range events {
			if strings.Contains(line, `"event":"`+event+`"`) {
				return false
			}
		}
		return true
	}
}

func TestDraw(t *testing.T) {
	for name, test := range map[string]struct {
		stream, task string
		keep         func(string) bool
		options      waterfall.Options
	}{
		"order_processing":       {"order_processing", "1", nil, waterfall.Options{}},
		"order_processing_ascii": {"order_processing", "1", nil, waterfall.Options{ASCII: true, Width: 80}},
		"order_processing_color": {"order_processing", "1", nil, waterfall.Options{Palette: true, Depth: 4}},
		"depth":                  {"order_processing", "1", nil, waterfall.Options{Depth: 3}},
		"narrow":                 {"order_processing", "1", nil, waterfall.Options{Width: 46}},
		"very_narrow":            {"order_processing", "1", nil, waterfall.Options{Width: 1}},
		"retry":                  {"real/retry", "12", nil, waterfall.Options{Width: 120}},
		"backoff":                {"mixed", "15", nil, waterfall.Options{}},
		"failed":                 {"mixed", "5", nil, waterfall.Options{}},
		"incomplete_running":     {"order_processing", "1", until("1", "step.before_handle", 3), waterfall.Options{}},
		"incomplete_waiting":     {"mixed", "15", until("15", "step.initialize_requested", 1), waterfall.Options{ASCII: true}},
		"lost_events":            {"order_processing", "1", without("workflow.steps_execution_started", "step.before_handle"), waterfall.Options{}},
		"parallel":               {"mixed", "1", nil, waterfall.Options{}},
		"queries":                {"planned", "1", nil, waterfall.Options{Width: 140}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, draw(t, assemble(t, test.stream, test.task, test.keep), test.options))
		})
	}
}

const ms = int64(time.Millisecond)

// built returns a tree with features that are rare in streams.
func built() *tree.Tree {
	id := func(n byte) event.SpanID { return event.SpanID{n} }
	task := tree.Span{
		ID: id(1), Parent: id(99), Name: lifecycle.SpanTask, Start: 1000 * ms, End: 1000*ms + 50*3600*1000*ms,
		Outcome: tree.OutcomeError, Message: "the whole task was\x1b[31m given up\nby an operator, after " + strings.Repeat("very ", 60) + "long",
		Attributes: []attribute.KeyValue{
			attribute.String(lifecycle.AttrTaskID, "0190c5a2-7d3e-7000-8000-000000000001"),
			attribute.String(lifecycle.AttrTaskName, "東京_import\x1b]0;evil\a"),
			attribute.String(lifecycle.AttrStatus, string(lifecycle.StatusFailure)), attribute.Int(lifecycle.AttrRun, 2),
			attribute.Int(lifecycle.AttrPasses, 1), attribute.Int(lifecycle.AttrSteps, 1), attribute.Int(lifecycle.AttrAttempts, 1),
			attribute.Bool(lifecycle.AttrTruncated, true),
		},
		Link: &tree.Link{Trace: event.TraceID{7}, Span: id(7)},
	}
	whole := &tree.Tree{
		Trace:    event.TraceID{7},
		Resource: &event.Resource{Attributes: []attribute.KeyValue{attribute.String("service.name", "shop"), attribute.String("service.namespace", "eu")}},
		Spans:    []tree.Span{task}, Cut: 3,
	}
	add := func(n, parent byte, name string, from, to int64, attrs ...attribute.KeyValue) *tree.Span {
		whole.Spans = append(whole.Spans, tree.Span{ID: id(n), Parent: id(parent), Name: name, Start: task.Start + from*ms,
			End: task.Start + to*ms, Attributes: attrs})
		return &whole.Spans[len(whole.Spans)-1]
	}
	pass := add(2, 1, lifecycle.SpanOrchestration, 10, 180_000, attribute.Int(lifecycle.AttrPassIndex, 1))
	pass.Outcome = tree.OutcomeOk
	for i := range 5 {
		n := byte(i)
		add(10+2*n, 2, lifecycle.SpanDependency, 20+60*int64(i), 25+60*int64(i))
		add(11+2*n, 2, lifecycle.SpanBatch, 30+60*int64(i), 70+60*int64(i), attribute.Int(lifecycle.AttrBatchIndex, int64(i+1)))
	}
	add(30, 2, lifecycle.SpanDependency, 400, 401)
	add(31, 2, lifecycle.SpanBatch, 410, 160_000, attribute.Int(lifecycle.AttrBatchIndex, 6), attribute.Int(lifecycle.AttrBatchSize, 3))
	add(32, 31, lifecycle.SpanStep, 420, 150_000, attribute.Int(lifecycle.AttrStepID, 5),
		attribute.String(lifecycle.AttrStatus, string(lifecycle.StatusCancelled)))
	add(33, 31, lifecycle.SpanStep, 430, 440, attribute.String(lifecycle.AttrStepName, "by_hand"),
		attribute.String(lifecycle.AttrStatus, string(lifecycle.StatusResolvedManually)), attribute.Bool(lifecycle.AttrSynthesized, true))
	add(34, 31, lifecycle.SpanStep, 430, 431, attribute.String(lifecycle.AttrStepName, strings.Repeat("endless_", 20)),
		attribute.Bool(lifecycle.AttrIncomplete, true), attribute.Bool(lifecycle.AttrSynthesized, true))
	add(35, 77, "app.custom", 500, 500) // its parent was omitted
	return whole
}

func TestDrawOddTrees(t *testing.T) {
	odd := built()
	for name, options := range map[string]waterfall.Options{
		"odd": {}, "odd_ascii": {ASCII: true, Width: 120}, "odd_narrow": {Width: 40},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, draw(t, []*tree.Tree{odd}, options)) })
	}
	instant := &tree.Tree{Spans: []tree.Span{{Name: lifecycle.SpanTask, Start: ms, End: ms,
		Attributes: []attribute.KeyValue{attribute.Bool(lifecycle.AttrRefusedAtCreation, true)}}}}
	golden(t, "instant", draw(t, []*tree.Tree{instant}, waterfall.Options{}))
}

// No line is wider than the width, and control characters are removed.
func TestDrawFits(t *testing.T) {
	trees := append(assemble(t, "real/retry", "12", nil), built())
	for width := waterfall.MinWidth; width < 200; width++ {
		text := draw(t, trees, waterfall.Options{Width: width, ASCII: width%2 == 0})
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\a")
	}
}

func TestColorChangesNothingButColor(t *testing.T) {
	trees := append(assemble(t, "mixed", "5", nil), built())
	plain := draw(t, trees, waterfall.Options{})
	painted := draw(t, trees, waterfall.Options{Palette: true})
	assert.NotEqual(t, plain, painted)
	assert.Equal(t, plain, regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(painted, ""))
}

func TestCloneSharesNothingThatChanges(t *testing.T) {
	whole := built()
	whole.Spans[0].Events = []tree.SpanEvent{{Name: "n", Attributes: []attribute.KeyValue{attribute.Strings("list", []string{"a"})}}}
	kept := whole.Clone()
	var before, after bytes.Buffer
	require.NoError(t, treeview.WriteJSON(&before, kept))
	whole.Spans[0].Events[0].Attributes[0].Value.Strings[0] = "changed"
	whole.Spans[0].Events[0].Name = "changed"
	whole.Spans[0].Link.Span[0] = 200
	for i := range whole.Spans {
		clear(whole.Spans[i].Attributes)
	}
	clear(whole.Spans)
	require.NoError(t, treeview.WriteJSON(&after, kept))
	assert.Equal(t, before.String(), after.String())
}

func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, treeview.WriteJSON(&out, built()))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"), "one line a task")
	require.NoError(t, treeview.WriteJSON(&out, assemble(t, "mixed", "5", nil)[0]))
	decoder := json.NewDecoder(&out)
	var pretty bytes.Buffer
	encoder := json.NewEncoder(&pretty)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	for decoder.More() {
		var task map[string]any
		require.NoError(t, decoder.Decode(&task))
		require.NoError(t, encoder.Encode(task))
	}
	golden(t, "json", pretty.String())
}
