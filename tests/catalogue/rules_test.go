// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rules(t *testing.T, text string) (*Catalogue, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c := load(t)
	_, err := c.Rules(path)
	return c, err
}

func TestRules(t *testing.T) {
	c, err := rules(t, `
groups:
  - name: a
    rules:
      - {record: "job:failed:sum", expr: sum by (job) (tasker_errors_total), labels: {signal: logs}}
      - {record: "job:failed:sum", expr: sum by (job) (tasker_errors_total), labels: {level: high}}
      - {alert: A, expr: "job:failed:sum{signal=\"logs\"} > 1", annotations: {summary: "{{ $labels.job }} {{ $labels.level }}"}}
`)
	require.NoError(t, err)
	labels, known := c.Labels("job:failed:sum")
	assert.True(t, known)
	assert.ElementsMatch(t, []string{"job", "signal", "level"}, labels)
}

func TestRulesNamesWhatIsUnknown(t *testing.T) {
	_, err := rules(t, `
groups:
  - name: a
    rules:
      - {record: "job:failed:sum", expr: sum by (jobb) (tasker_errors_total)}
      - {alert: A, expr: up == 0, annotations: {summary: "{{ $labels.task_name }}"}}
      - {alert: B, expr: "tasker_failures_total > 0"}
`)
	for _, part := range []string{"rule job:failed:sum", "no label jobb", "alert A annotation summary", "no label task_name",
		"alert B", "unknown metric tasker_failures_total"} {
		assert.ErrorContains(t, err, part)
	}
	_, err = rules(t, "groups: [{name: a, rules: [{alert: A, expression: up}]}]")
	assert.ErrorContains(t, err, "field expression not found")
	_, err = load(t).Rules(filepath.Join(t.TempDir(), "*.yaml"))
	assert.ErrorContains(t, err, "no rule file matches")
}
