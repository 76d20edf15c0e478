// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

const (
	ruleFiles = "prometheus/rules/*.yaml"
	runbooks  = "https://github.com/tasker-otel/otelcol-tasker/blob/main/docs/alerts.md"
)

// TestRulesAreOfThisCode checks that rules and annotations use only existing metrics and labels.
func TestRulesAreOfThisCode(t *testing.T) {
	c, err := catalogue.Load("..")
	require.NoError(t, err)
	_, err = c.Rules(ruleFiles)
	require.NoError(t, err)
}

// TestRunbooks checks that each alert has and links to a section in docs/alerts.md with its meaning, where to look and what
// to do, and that there are no other sections.
func TestRunbooks(t *testing.T) {
	c, err := catalogue.Load("..")
	require.NoError(t, err)
	groups, err := c.Rules(ruleFiles)
	require.NoError(t, err)
	sections := sections(t)
	alerts := map[string]bool{}
	for _, group := range groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			alerts[rule.Alert] = true
			assert.Contains(t, []string{"warning", "critical"}, rule.Labels["severity"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
			assert.Equal(t, runbooks+"#"+strings.ToLower(rule.Alert), rule.Annotations["runbook_url"], rule.Alert)
		}
	}
	assert.Equal(t, slices.Sorted(maps.Keys(alerts)), slices.Sorted(maps.Keys(sections)), "alerts, and sections of docs/alerts.md")
	for name, text := range sections {
		for _, part := range []string{"**What it means.**", "**First look.**", "**Remedy.**"} {
			assert.Contains(t, text, part, name)
		}
	}
}

// sections returns the sections of docs/alerts.md by title.
func sections(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/alerts.md")
	require.NoError(t, err)
	sections := map[string]string{}
	for _, section := range regexp.MustCompile(`(?m)^### `).Split(string(text), -1)[1:] {
		title, body, _ := strings.Cut(section, "\n")
		assert.NotContains(t, sections, title)
		sections[title] = body
	}
	return sections
}

// TestEveryAlertIsTested checks that the promtool tests cover each alert.
func TestEveryAlertIsTested(t *testing.T) {
	paths, err := filepath.Glob("prometheus/tests/*.yaml")
	require.NoError(t, err)
	tests := ""
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		tests += string(text)
	}
	for name := range sections(t) {
		assert.Regexp(t, fmt.Sprintf(`alertname="?%s"`, name), tests)
	}
}

// TestPromtool checks the configuration and the rules with promtool, and runs the rules' unit tests.
func TestPromtool(t *testing.T) {
	promtool := peer(t, "promtool")
	tests, err := filepath.Glob("prometheus/tests/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	for _, args := range [][]string{
		{"check", "config", "prometheus/prometheus.yml"},
		{"check", "config", "compose/prometheus.yml"},
		append([]string{"test", "rules"}, tests...),
	} {
		output, err := exec.Command(promtool, args...).CombinedOutput()
		assert.NoError(t, err, "promtool %v\n%s", args, output)
	}
}

// peer returns the path of a program, or skips the test.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs a peer: %s is not installed", name)
	}
	return path
}
