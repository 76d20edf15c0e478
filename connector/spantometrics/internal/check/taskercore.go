// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

// taskerCoreMetrics returns the Prometheus names of the metrics that tasker-core emits itself, according to its metrics
// reference. A metric of the same name with other labels and another unit would corrupt both.
func taskerCoreMetrics() []string {
	return []string{
		"tasker_tasks_requests_total", "tasker_tasks_completions_total", "tasker_tasks_failures_total",
		"tasker_steps_enqueued_total", "tasker_step_results_processed_total",
		"tasker_task_initialization_duration_milliseconds", "tasker_task_finalization_duration_milliseconds",
		"tasker_step_result_processing_duration_milliseconds",
		"tasker_steps_executions_total", "tasker_steps_successes_total", "tasker_steps_failures_total",
		"tasker_steps_claimed_total", "tasker_steps_results_submitted_total",
		"tasker_step_execution_duration_milliseconds", "tasker_step_claim_duration_milliseconds",
		"tasker_step_result_submission_duration_milliseconds",
		"tasker_circuit_breaker_state", "api_circuit_breaker_state", "api_requests_rejected_total",
		"ffi_completion_slow_sends_total", "ffi_completion_circuit_open_rejections_total",
		"mpsc_channel_usage_percent", "mpsc_channel_capacity", "mpsc_channel_full_events_total",
	}
}
