// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// cli is the command line.
type cli struct {
	tb   testing.TB
	path string
}

// commandLine returns the built command line.
func commandLine(tb testing.TB) cli {
	tb.Helper()
	path, err := builtCLI()
	require.NoError(tb, err)
	return cli{tb, path}
}

// run executes a command line and returns its exit status and output.
func (c cli) run(args ...string) (status int, out, problems string) {
	c.tb.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(c.path, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(c.tb, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
