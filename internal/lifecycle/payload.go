// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import "slices"

// BulkyPayloadKeys returns the payload keys that hold application data, which may be large or personal. By default
// tasker_events does not decode them and event_router removes them. The caller owns the slice.
func BulkyPayloadKeys() []string {
	return []string{
		"task_context", "step_inputs", "step_results", "error_step_results", "results", "inputs", "context", "task",
	}
}

// BulkyPayloadKeysBut returns BulkyPayloadKeys without the kept ones. The caller owns the slice.
func BulkyPayloadKeysBut(kept []string) []string {
	return slices.DeleteFunc(BulkyPayloadKeys(), func(key string) bool { return slices.Contains(kept, key) })
}

// UnusedPayloadKeys returns, by event, the payload keys that neither spans nor built-in metrics nor records use, for the
// events that shape spans. Events that are shown or recorded with their payload have none. The caller owns the map.
func UnusedPayloadKeys() map[string][]string {
	unused := map[string][]string{}
	for _, event := range []string{
		TaskCompleted, TaskFailed, StepExecutionRequested, StepBeforeHandle, StepCompleted, StepFailed, ObservabilityTaskEnqueue,
		WorkflowViableStepsDiscovered, WorkflowStepsExecutionStarted, WorkflowStepsExecutionCompleted,
		WorkflowTaskFinalizationStarted, WorkflowTaskFinalizationCompleted,
	} {
		unused[event] = []string{
			"timestamp", "transitioned_at", "started_at", "completed_at", "to_state", "orchestration_event", "retry_limit", "task_type",
			"execution_duration", "current_execution_duration", "total_execution_duration", "execution_status", "health_status",
			"completion_percentage", "completed_steps", "failed_steps", "pending_steps", "in_progress_steps", "ready_steps",
			"processed_steps_count", "processed_count", "successful_count",
		}
		if event != TaskFailed && event != StepFailed { // which it marks as a failed initialization
			unused[event] = append(unused[event], "event_type")
		}
	}
	return unused
}

// SensitiveKeyParts returns substrings of keys whose values are redacted, as in Tasker's own filter. They are in lower case
// and compared case-insensitively. The caller owns the slice.
func SensitiveKeyParts() []string {
	return []string{
		"passw", "email", "secret", "token", "_key", "crypt", "salt", "certificate", "otp", "ssn",
	}
}

// NeededPayloadKeys returns the payload keys from which spans and metrics are derived: IDs, names, times, counts and
// states. Optional texts (error_message, backtrace, sql) are not included. The caller owns the slice.
func NeededPayloadKeys() []string {
	return []string{
		"task_id", "task_name", "step_id", "step_name", "step_ids", "step_names", "step_count", "viable_count",
		"step_dependencies", "attempt_number", "attempt", "retry_limit", "job_id", "queue_name", "correlation_id",
		"event_type", "timestamp", "transitioned_at", "completed_at", "to_state", "error_class", "exception_class", "reason",
		"final_status", "backoff_seconds", "backoff_type", "processing_mode", "total_steps", "operation", "duration",
		"memory_delta_mb", "total_execution_duration", "execution_duration", "initialization_failed",
		// Added by tasker_events.
		"traceparent", "event_id", "clock", "impossible_time",
		// Added by an upstream event_router.
		"route.signals", "route.priority", "route.identity",
	}
}
