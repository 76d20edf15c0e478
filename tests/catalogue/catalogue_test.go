// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load("../..")
	require.NoError(t, err)
	return c
}

func TestLoad(t *testing.T) {
	c := load(t)
	// One metric of each source.
	for name, kind := range map[string]Kind{
		"tasker_task_executions_total":                    Counter,
		"tasker_step_duration_seconds":                    Histogram,
		"tasker_tasks_active":                             Gauge,
		"otelcol_processor_span_hierarchy_events_dropped": Counter,
		"otelcol_connector_span_to_metrics_series":        Gauge,
		"otelcol_exporter_queue_size":                     Gauge,
		"otelcol_receiver_accepted_log_records":           Counter,
		"otelcol_processor_memory_limiter_refused_spans":  Counter,
		"otelcol_process_memory_rss":                      Gauge,
		"otelcol_receiver_tasker_events_refused_requests": Counter,
		"kube_cronjob_status_last_successful_time":        Gauge,
	} {
		m, err := c.Family(name)
		if assert.NoError(t, err) {
			assert.Equal(t, kind, m.Kind, name)
		}
	}
	_, err := c.Family("tasker_task_execution_total")
	assert.ErrorContains(t, err, "tasker_task_execution_total; known are tasker_task_executions_total")
}

func TestCheck(t *testing.T) {
	c := load(t)
	for _, test := range []struct {
		expression string
		// labels are expected in the result, or with a minus not expected.
		labels []string
		err    []string
	}{
		{expression: `sum by (job, task_name) (rate(tasker_task_executions_total{status="failure"}[5m]))`, labels: []string{"job", "task_name", "-status"}},
		{expression: `histogram_quantile(0.95, sum by (le, step_name) (rate(tasker_step_duration_seconds_bucket[5m])))`, labels: []string{"step_name", "-le"}},
		{expression: `sum without (instance) (tasker_tasks_active)`, labels: []string{"task_name", "-instance"}},
		{expression: `sum by (job) (tasker_errors_total) / on (job) group_left (error_type) tasker_errors_total`, labels: []string{"job", "error_type"}},
		{expression: `label_replace(up, "app", "$1", "job", "(.+)")`, labels: []string{"app", "instance"}},
		{expression: `1 + 2`},
		{expression: `2 * up`, labels: []string{"job"}},
		{expression: `tasker_task_executions_total unless on (job) up == 0`, labels: []string{"status"}},
		{expression: `max_over_time(sum by (job) (up)[1h:1m])`, labels: []string{"job", "-instance"}},

		{expression: `rate(tasker_task_execution_total[5m])`, err: []string{"unknown metric tasker_task_execution_total"}},
		{expression: `tasker_step_duration_seconds`, err: []string{"unknown metric tasker_step_duration_seconds"}},
		{expression: `sum by (step) (tasker_step_executions_total{name="a"})`, err: []string{"no label step", "no label name"}},
		{expression: `up * on (task_name) tasker_tasks_active`, err: []string{"up has no label task_name"}},
		{expression: `sum by (status) (sum by (job) (tasker_task_executions_total))`, err: []string{"no label status"}},
		{expression: `sum(`, err: []string{"parse"}},
	} {
		result, err := c.Check(test.expression)
		if test.err != nil {
			for _, part := range test.err {
				assert.ErrorContains(t, err, part, test.expression)
			}
			continue
		}
		if !assert.NoError(t, err) {
			continue
		}
		for _, label := range test.labels {
			if label[0] == '-' {
				assert.NotContains(t, result, label[1:], test.expression)
			} else {
				assert.Contains(t, result, label, test.expression)
			}
		}
	}
}

func TestAddTwice(t *testing.T) {
	_, err := New(Metric{Name: "a", Kind: Gauge}, Metric{Name: "a", Kind: Counter})
	assert.EqualError(t, err, "metric a is there twice")
	_, err = New(Metric{Name: "a"})
	assert.EqualError(t, err, `metric a: unknown kind ""`)
}

func TestParseBuiltIn(t *testing.T) {
	metrics, err := parseBuiltIn([]byte(`
tasker.tasks.active:
  {type: active, unit: "{task}", dimensions: [{name: task_name}, {name: state, key: task.state}]}
tasker.oldest: {type: oldest, unit: s}
tasker.took: {type: histogram, value: duration, dimensions: [{name: a}, {name: b.c}]}
tasker.things: {type: counter, unit: "{thing}", description: Things., value: [x, y]}
`))
	require.NoError(t, err)
	assert.Equal(t, []Metric{
		{Name: "tasker_oldest_seconds", Kind: Gauge, Unit: "s", Labels: []string{"task_name"}},
		{Name: "tasker_tasks_active", Kind: Gauge, Unit: "{task}", Labels: []string{"task_name", "state"}},
		{Name: "tasker_things_total", Kind: Counter, Unit: "{thing}", Description: "Things."},
		{Name: "tasker_took_seconds", Kind: Histogram, Unit: "s", Labels: []string{"a", "b_c"}},
	}, metrics)

	_, err = parseBuiltIn([]byte("tasker.x: {type: total}"))
	require.EqualError(t, err, `tasker.x: unknown type "total"`)
	_, err = parseBuiltIn([]byte("tasker.x: ["))
	require.Error(t, err)
}

func TestParseMetadata(t *testing.T) {
	metrics, err := parseMetadata([]byte(`
attributes:
  a.b: {type: string}
  c: {type: string, name_override: d.e}
telemetry:
  metrics:
    processor_x_seen: {unit: "{item}", attributes: [a.b, c], sum: {value_type: int}}
    plain: {prefix: p_, gauge: {value_type: int}}
`))
	require.NoError(t, err)
	assert.Equal(t, []Metric{
		{Name: "otelcol_processor_x_seen", Kind: Counter, Unit: "{item}", Labels: []string{"a_b", "d_e"}},
		{Name: "p_plain", Kind: Gauge},
	}, metrics)
	_, err = parseMetadata([]byte("telemetry: {metrics: {x: {unit: s}}}"))
	assert.EqualError(t, err, "x is neither sum, gauge nor histogram")
}
