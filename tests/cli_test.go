package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// cli is the command line, built from the sources.
type cli struct {
	tb   testing.TB
	path string
}

func buildCLI(tb testing.TB) cli {
	tb.Helper()
	c := cli{tb, filepath.Join(tb.TempDir(), "taskerotel")}
	build := exec.Command("go", "build", "-o", c.path, "../cmd/taskerotel")
	build.Stderr = os.Stderr
	require.NoError(tb, build.Run())
	return c
}

// run executes a command line and returns its exit status and what it printed.
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
