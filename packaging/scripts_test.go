// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package packaging

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

// TestScripts checks that shellcheck reports no warning.
func TestScripts(t *testing.T) {
	shellcheck := peer(t, "shellcheck")
	var scripts []string
	for _, pattern := range []string{"deb/*", "rpm/*", "apk/p*", "testdata/*.sh", "../scripts/*.sh", "../deploy/cron/export-stamp", "../.ci/run"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		scripts = append(scripts, found...)
	}
	for _, script := range scripts {
		args := []string{"--severity=warning", "--external-sources", "--source-path=SCRIPTDIR", script}
		if strings.HasPrefix(script, "testdata") {
			args = append([]string{"--shell=bash"}, args...)
		}
		out, err := exec.Command(shellcheck, args...).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
	out, err := exec.Command(shellcheck, "--severity=warning", "--shell=sh", "apk/otelcol-tasker.initd").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// TestWorkflows checks the workflows with actionlint, and that the make targets they use exist.
func TestWorkflows(t *testing.T) {
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.Len(t, workflows, 3)
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	named := 0
	for _, workflow := range workflows {
		text, err := os.ReadFile(workflow)
		require.NoError(t, err)
		for _, target := range regexp.MustCompile(`\bmake ([a-z][a-z-]*)`).FindAllStringSubmatch(string(text), -1) {
			named++
			assert.Regexp(t, `(?m)^`+target[1]+`:`, string(makefile), workflow)
		}
	}
	assert.Positive(t, named)

	actionlint, err := filepath.Abs("../bin/tools/actionlint")
	require.NoError(t, err)
	if _, err := os.Stat(actionlint); err != nil {
		t.Skip("needs a peer: bin/tools/actionlint is not built (make release-tools)")
	}
	run(t, exec.Command(actionlint, append([]string{"-no-color", "-config-file", "/dev/null"}, workflows...)...))
}
