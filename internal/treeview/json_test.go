// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/waterfall"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

func trees(t *testing.T, stream string) (all []*tree.Tree) {
	t.Helper()
	_, err := offline.Assemble(t.Context(), eventfile.NewSource([]string{"../../tests/streamtest/testdata/" + stream + ".ndjson"}, nil), offline.Options{
		Now:  func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) },
		Tree: func(tree *tree.Tree) { all = append(all, tree.Clone()) },
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// A tree read from JSON is written and drawn the same.
func TestATreeIsReadAsItWasWritten(t *testing.T) {
	for _, stream := range []string{"order_processing", "mixed", "planned", "real/retry"} {
		for _, tree := range trees(t, stream) {
			var first, second, drawn, again bytes.Buffer
			require.NoError(t, treeview.WriteJSON(&first, tree))
			read, err := treeview.ReadJSON(first.Bytes())
			require.NoError(t, err)
			require.NoError(t, treeview.WriteJSON(&second, read))
			require.JSONEq(t, first.String(), second.String())
			require.NoError(t, waterfall.Draw(&drawn, tree, waterfall.Options{}))
			require.NoError(t, waterfall.Draw(&again, read, waterfall.Options{}))
			require.Equal(t, drawn.String(), again.String())
		}
	}
}

func TestWhatIsNoTreeIsRefused(t *testing.T) {
	for _, text := range []string{``, `{}`, `[]`, `{"trace_id":"x","spans":[{}]}`, `{"trace_id":"` + strings.Repeat("0", 32) + `","spans":[{"span_id":"1"}]}`} {
		_, err := treeview.ReadJSON([]byte(text))
		require.Error(t, err, text)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"trace_id":"00000000000000000000000000000001","spans":[{"span_id":"0000000000000001","name":"x","attributes":{"a":1,"b":[1,"x"],"c":null}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := treeview.ReadJSON(text)
		if err == nil {
			require.NoError(t, treeview.WriteJSON(&bytes.Buffer{}, tree))
			treeview.Plan{}.Rows(tree)
		}
	})
}

func TestIDsThatAreThereTwiceEnd(t *testing.T) {
	id, other := event.SpanID{1}, event.SpanID{2}
	tree := &tree.Tree{Spans: []tree.Span{{ID: id}, {ID: id, Parent: id}, {ID: other, Parent: id}, {ID: other, Parent: other}, {ID: id, Parent: other}}}
	require.Len(t, treeview.Plan{}.Rows(tree), 5)
}
