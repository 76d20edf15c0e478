// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/waterfall"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
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

// The trees of the scenarios, through the production decoders, as the command line draws them.
func TestScenarioTrees(t *testing.T) {
	for _, s := range streamtest.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			stream := append(bytes.Join(s.Lines, []byte("\n")), '\n')
			golden(t, s.Name+".ndjson", stream)
			drawn := drawScenario(t, stream, waterfall.Options{Width: 120})
			golden(t, s.Name+".golden", []byte(s.Story+"\n\n"+string(drawn)))
		})
	}
}
