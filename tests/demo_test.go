// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDemo: the demonstration fills what the dashboards are made of, and the shipped configuration refuses and drops none of it.
func TestDemo(t *testing.T) {
	t.Parallel()
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml"}}.with("TASKER_TRACES_EXPORTER=debug", "TASKER_RECORDS_EXPORTER=debug/records"))
	code, out, problems := commandLine(t).run("demo", "--for", "8s", "--rate", "1200", "--seed", "3", "--header", "Authorization=Bearer secret",
		"--endpoint", "http://"+c.events+"/v1/events")
	require.Zero(t, code, problems)
	assert.NotContains(t, out, "refused")
	want := []string{`tasker_task_executions_total{`, `tasker_step_executions_total{`, `tasker_sql_queries_total{`, `tasker_tasks_active{`, `tasker_task_queue_duration_seconds_count{`,
		`tasker_events_total{event="step.completed"`, `tasker_orchestration_duration_seconds_count{`}
	await(t, time.Minute, "metrics of every kind", func() bool {
		body, _ := c.scrapeText(plainText)
		for _, name := range want {
			if !strings.Contains(string(body), name) {
				return false
			}
		}
		return true
	}, func() any { body, _ := c.scrapeText(plainText); return string(body[:min(len(body), 3000)]) })
	for _, reason := range []string{"no_route", "too_large", "invalid"} {
		assert.Zero(t, c.ownMetric("otelcol_processor_event_router_dropped", reason), reason)
	}
	assert.Zero(t, c.stop())
}
