package assembly_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/streamtest"
	"github.com/tasker-otel/otelcol-tasker/internal/waterfall"
)

var update = flag.Bool("update", false, "write the scenarios and their golden trees anew")

const scenarios = "testdata/scenarios"

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(scenarios, name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	assert.Equal(t, string(want), string(got), path)
}

// The trees of the scenarios, through the decoders of the product, as the command line draws them.
func TestScenarioTrees(t *testing.T) {
	for _, s := range streamtest.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			stream := append(bytes.Join(s.Lines, []byte("\n")), '\n')
			golden(t, s.Name+".ndjson", stream)
			drawn := &bytes.Buffer{}
			drawn.WriteString(s.Story + "\n")
			_, err := offline.Assemble(t.Context(), eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(stream)), offline.Options{
				Now: func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) },
				Tree: func(tree *assembly.Tree) {
					requireWellFormed(t, tree)
					drawn.WriteByte('\n')
					require.NoError(t, waterfall.Draw(drawn, tree, waterfall.Options{Width: 120}))
				},
				Refused: func(where, field, reason, _ string) { t.Errorf("%s: %s %s", where, field, reason) },
			})
			require.NoError(t, err)
			golden(t, s.Name+".golden", []byte(strings.TrimRight(drawn.String(), "\n")+"\n"))
		})
	}
}
