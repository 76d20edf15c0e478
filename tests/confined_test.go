// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// confinement runs a command with the restrictions of deploy's units and manifests, as far as possible without systemd and
// containers: only $WRITABLE is writable, not even /tmp; user 10001 without capabilities or a way to gain them; the unit's
// memory.
const confinement = `
set -eu
mount --make-rprivate /
awk '{print $5}' /proc/self/mountinfo | while read -r target; do
	mount -o remount,bind,ro "$target" 2>/dev/null || true
done
mount --bind "$WRITABLE" "$WRITABLE"
mount -o remount,bind,rw "$WRITABLE"
ulimit -d 1048576
exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
`

// unprivileged is the user of the image and of the manifests.
const unprivileged = 10001

func confined(t *testing.T, writable string, command ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(peer(t, "unshare"), append([]string{"--mount", "--", "/bin/sh", "-c", confinement, "confined"}, command...)...)
	cmd.Env = append(os.Environ(), "WRITABLE="+writable, "GOMEMLIMIT=819MiB")
	return cmd
}

// TestConfined runs the shipped configuration with only the rights of the deployments: its state and an export survive the
// process.
func TestConfined(t *testing.T) {
	t.Parallel()
	peer(t, "setpriv")
	root, err := os.MkdirTemp("", "confined") // a test's own directory is not accessible to others
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(root)) })
	require.NoError(t, os.Chmod(root, 0o755)) //nolint:gosec // the other user is to read it
	data, exports := filepath.Join(root, "data"), filepath.Join(root, "exports")
	for _, directory := range []string{data, exports} {
		require.NoError(t, os.Mkdir(directory, 0o750))
		if err := os.Chown(directory, unprivileged, unprivileged); err != nil {
			t.Skipf("needs the right to run as another user: %v", err)
		}
	}
	if answer, err := confined(t, data, "true").CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount, in a namespace of its own: %s", answer)
	}
	require.Error(t, confined(t, data, "touch", filepath.Join(exports, "file")).Run(), "it can write elsewhere")
	require.Error(t, confined(t, data, "touch", filepath.Join(os.TempDir(), "file")).Run(), "it can write elsewhere")

	sink := newSink(t)
	c, override := newStandalone(t, sink)
	put := func(name string, mode os.FileMode, content []byte) string {
		path := filepath.Join(root, name)
		require.NoError(t, os.WriteFile(path, content, mode))
		return path
	}
	copied := func(name, from string, mode os.FileMode) string {
		content, err := os.ReadFile(from)
		require.NoError(t, err)
		return put(name, mode, content)
	}
	program := copied("otelcol-tasker", binary, 0o755)
	shipped := copied("standalone.yaml", "../deploy/otelcol/standalone.yaml", 0o644)
	changed := put("override.yaml", 0o644, []byte(override))
	launch := func() {
		command := confined(t, data, program, "--config", shipped, "--config", changed)
		command.Env = append(command.Env, "TASKER_DATA="+data, "TASKER_INSTANCE=confined", "TASKER_MEMORY_LIMIT_MIB=768")
		c.launchAs(command)
	}

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 61, Failures: true})
	batches := shuffledBatches(lines, 61)
	launch()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(t, err)
	for _, line := range []string{"Uid:\t10001\t10001\t10001\t10001", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"} {
		assert.Contains(t, string(status), "\n"+line+"\n")
	}
	half := len(batches) / 2
	c.sendNDJSON(connections, batches[:half])
	assert.Zero(t, c.stop())
	c = &collector{tb: t, events: c.events, otlp: c.otlp, scrape: c.scrape, health: c.health}
	launch()
	c.sendNDJSON(connections, batches[half:])
	awaitTasks(t, sink, len(truth))
	export := confined(t, exports, copied("taskerotel", commandLine(t).path, 0o755), "export", "--target", "http://"+c.scrape+"/metrics",
		"--config", shipped, "--format", "csv", "--output", filepath.Join(exports, "tasker-metrics.csv"))
	answer, err := export.CombinedOutput()
	require.NoError(t, err, "%s", answer)
	assert.NotEmpty(t, readTable(t, filepath.Join(exports, "tasker-metrics.csv"))[1:])
	assert.Zero(t, c.stop())
	assert.NotEmpty(t, readTable(t, filepath.Join(data, "tasker-metrics.csv"))[1:])
	equal(t, streamtest.Compare(truth, unique(t, sink.all())))
}
