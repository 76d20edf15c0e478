// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func versionOf(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.Command(program, "--version").Output()
	require.NoError(t, err)
	return string(out)
}

// TestVersion checks that both programs report the same version, commit and date, and the collector's own components the
// version.
func TestVersion(t *testing.T) {
	cli, err := builtCLI()
	require.NoError(t, err)
	collector := versionOf(t, binary)
	assert.Regexp(t, `^otelcol-tasker \d+\.\d+\.\d+[-.0-9a-z]* \((commit [0-9a-f]{7,12}( with changes)?, \d{4}-\d\d-\d\d, )?go\S+, `+
		runtime.GOOS+"/"+runtime.GOARCH+`\)\n$`, collector)
	assert.Equal(t, collector[len("otelcol-tasker"):], versionOf(t, cli)[len("taskerotel"):])

	components, err := exec.Command(binary, "components").Output()
	require.NoError(t, err)
	assert.Regexp(t, `module: github.com/tasker-otel/otelcol-tasker v\d+\.\d+\.\d+`, string(components))
}
