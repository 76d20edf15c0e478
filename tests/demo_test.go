// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// metricsOfWorkflows returns the names of the series queried by the dashboards, except internal metrics.
func metricsOfWorkflows(t *testing.T) []string {
	t.Helper()
	boards, err := filepath.Glob("../deploy/grafana/dashboards/*.json")
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, board := range boards {
		text, err := os.ReadFile(board)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`(?:[^a-z_])(tasker_[a-z_]+)\{`).FindAllSubmatch(text, -1) {
			asked[string(name[1])] = true
		}
	}
	names := slices.Sorted(maps.Keys(asked))
	require.Greater(t, len(names), 20)
	return names
}

// TestDemo checks that the demonstration produces all metrics of the dashboards, and that the shipped configuration accepts
// all of its events.
func TestDemo(t *testing.T) {
	t.Parallel()
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml"}}.with("TASKER_TRACES_EXPORTER=debug", "TASKER_RECORDS_EXPORTER=debug/records"))
	code, out, problems := commandLine(t).run("demo", "--for", "20s", "--rate", "900", "--seed", "3", "--header", "Authorization=Bearer secret",
		"--endpoint", "http://"+c.events+"/v1/events")
	require.Zero(t, code, problems)
	assert.NotContains(t, out, "refused")
	want := metricsOfWorkflows(t)
	var missing []string
	await(t, time.Minute, "metrics of every panel", func() bool {
		body, _ := c.scrapeText(plainText)
		missing = slices.DeleteFunc(slices.Clone(want), func(name string) bool { return strings.Contains(string(body), "\n"+name+"{") })
		return len(missing) == 0
	}, func() any { return missing })
	for _, reason := range []string{"no_route", "too_large", "invalid"} {
		assert.Zero(t, c.ownMetric("otelcol_processor_event_router_dropped", reason), reason)
	}
	assert.Zero(t, c.stop())
}
