// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSystemd verifies the units and their security level with systemd-analyze.
func TestSystemd(t *testing.T) {
	analyze := peer(t, "systemd-analyze")
	folder := t.TempDir()
	units, err := filepath.Glob("systemd/*.[st][ei][rm]*")
	require.NoError(t, err)
	require.Len(t, units, 3)
	// The programs are not installed here; replace them by an existing one.
	installed := regexp.MustCompile(`(?m)^(Exec\w+=[-+]*)(/usr/bin/otelcol-tasker|/usr/bin/taskerotel|/usr/lib/otelcol-tasker/export-stamp)`)
	var copies []string
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		require.NoError(t, err)
		copied := filepath.Join(folder, filepath.Base(unit))
		require.NoError(t, os.WriteFile(copied, installed.ReplaceAll(text, []byte("$1/bin/true")), 0o600))
		copies = append(copies, copied)
	}
	output, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, copies...)...).CombinedOutput()
	assert.NoError(t, err, "%s", output)
	for line := range strings.Lines(string(output)) {
		assert.NotContains(t, line, folder, "a complaint about one of these units")
	}
	for _, unit := range copies {
		if !strings.HasSuffix(unit, ".service") {
			continue
		}
		// systemd rates 2.0 of 10 as OK; a service without restrictions has 9.6, UNSAFE.
		output, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", unit).CombinedOutput()
		assert.NoError(t, err, "%s", output)
	}
}

// TestSystemdLimitsAreInStep checks that Go's limit is four fifths of the unit's.
func TestSystemdLimitsAreInStep(t *testing.T) {
	for _, unit := range []string{"systemd/otelcol-tasker.service", "systemd/taskerotel-export.service"} {
		text, err := os.ReadFile(unit)
		require.NoError(t, err)
		limit := regexp.MustCompile(`(?m)^MemoryMax=(\w+)$`).FindStringSubmatch(string(text))
		require.Len(t, limit, 2, unit)
		goLimit := regexp.MustCompile(`GOMEMLIMIT=(\w+)`).FindStringSubmatch(string(text))
		require.Len(t, goLimit, 2, unit)
		fourFifths(t, unit, limit[1]+"i", strings.TrimSuffix(goLimit[1], "B"))
		if limiter := regexp.MustCompile(`TASKER_MEMORY_LIMIT_MIB=(\d+)`).FindStringSubmatch(string(text)); limiter != nil {
			shareOf(t, unit, limit[1]+"i", limiter[1]+"Mi", 0.75)
		}
	}
}

// TestExportStamp runs the script as cron and systemd do.
func TestExportStamp(t *testing.T) {
	shell := peer(t, "sh")
	folder := t.TempDir()
	stamp := func(args ...string) (string, error) {
		output, err := exec.Command(shell, append([]string{"cron/export-stamp"}, args...)...).CombinedOutput()
		return string(output), err
	}
	for range 2 { // the second time it replaces the file
		output, err := stamp(folder)
		require.NoError(t, err, output)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
	text, err := os.ReadFile(filepath.Join(folder, "taskerotel_export.prom"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^tasker_export_timestamp_seconds \d{10}$`, string(text))

	output, err := stamp(filepath.Join(folder, "nowhere"))
	assert.Error(t, err)
	assert.Contains(t, output, "--collector.textfile.directory")
	info, err := os.Stat("cron/export-stamp")
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&0o111, "it can be run")
}
