// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
)

// TestNamesOfTaskerCore checks that no metric has the name of one that tasker-core emits. Two names match metrics that it
// only plans.
func TestNamesOfTaskerCore(t *testing.T) {
	emitted, planned := map[string]bool{}, map[string]bool{}
	for _, name := range taskerCoreMetrics() {
		emitted[name] = true
	}
	for _, name := range taskerCorePlannedMetrics() {
		planned[name] = true
	}
	var shared []string
	cfg := &declaration.Config{Histogram: declaration.DefaultHistogram()}
	for _, definition := range declaration.Definitions(cfg, declaration.Metrics(cfg)) {
		name := PrometheusMetric(&definition)
		require.False(t, emitted[name], name)
		if planned[name] {
			shared = append(shared, name)
		}
	}
	require.Equal(t, []string{"tasker_sql_queries_total", "tasker_tasks_active"}, shared)
}

// taskerCorePlannedMetrics returns metrics of the reference that are documented as not emitted.
func taskerCorePlannedMetrics() []string {
	return []string{
		"tasker_tasks_active", "tasker_steps_ready", "tasker_steps_active_executions", "tasker_queue_depth",
		"tasker_sql_queries_total", "tasker_sql_query_duration_milliseconds", "tasker_db_pool_connections_active",
		"tasker_db_pool_connections_idle", "tasker_db_pool_wait_duration_milliseconds", "tasker_db_transactions_total",
		"tasker_db_transaction_duration_milliseconds", "tasker_queue_messages_sent_total",
		"tasker_queue_messages_received_total", "tasker_queue_messages_deleted_total",
		"tasker_queue_message_send_duration_milliseconds", "tasker_queue_message_receive_duration_milliseconds",
		"tasker_queue_age_seconds", "tasker_queue_visibility_timeouts_total", "tasker_queue_errors_total",
		"tasker_queue_retry_attempts_total",
	}
}
