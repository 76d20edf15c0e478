// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/waterfall"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// drawScenario draws the trees of a stream as the command line does, through the production decoders.
func drawScenario(t *testing.T, stream []byte, options waterfall.Options) []byte {
	t.Helper()
	drawn := &bytes.Buffer{}
	_, err := offline.Assemble(t.Context(), eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(stream)), offline.Options{
		Now: func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) },
		Tree: func(tree *tree.Tree) {
			requireWellFormed(t, tree)
			if drawn.Len() > 0 {
				drawn.WriteByte('\n')
			}
			require.NoError(t, waterfall.Draw(drawn, tree, options))
		},
		Refused: func(where, field, reason, _ string) { t.Errorf("%s: %s %s", where, field, reason) },
	})
	require.NoError(t, err)
	return drawn.Bytes()
}

var inDocs = regexp.MustCompile("(?s)<!-- waterfall ([a-z_]+) ([1-5]) -->\n```\n(.*?)```\n")

// The waterfalls in docs/span-hierarchy.md are the output of the scenarios, and every scenario is in its table.
func TestTheWaterfallsInTheDocs(t *testing.T) {
	const path = "../../docs/span-hierarchy.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	streams := map[string][]byte{}
	for _, s := range streamtest.Scenarios() {
		streams[s.Name] = bytes.Join(s.Lines, []byte("\n"))
		assert.Contains(t, string(text), "| "+s.Name+" |")
	}
	blocks := 0
	whole := inDocs.ReplaceAllFunc(text, func(block []byte) []byte {
		blocks++
		parts := inDocs.FindSubmatch(block)
		stream := streams[string(parts[1])]
		require.NotEmpty(t, stream, "no scenario %s", parts[1])
		depth, err := strconv.Atoi(string(parts[2]))
		require.NoError(t, err)
		want := drawScenario(t, stream, waterfall.Options{Width: 100, Depth: depth})
		if !*update {
			assert.Equal(t, string(want), string(parts[3]), "%s: run the test with -update", parts[1])
		}
		head, _, _ := bytes.Cut(block, []byte("```\n"))
		return append(append(append(append([]byte{}, head...), "```\n"...), want...), "```\n"...)
	})
	assert.Positive(t, blocks)
	if *update {
		require.NoError(t, os.WriteFile(path, whole, 0o644))
	}
}
