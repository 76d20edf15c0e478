// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"
	"sync"
)

// MaxEventName is the longest accepted event name, in bytes. Names become labels.
const MaxEventName = 255

// Names of the events that the collector interprets. Events with other names are routed, counted and shown, but define no
// span.
const (
	TaskInitializeRequested = "task.initialize_requested"
	TaskStartRequested      = "task.start_requested"
	TaskCompleted           = "task.completed"
	TaskFailed              = "task.failed"
	TaskRetryRequested      = "task.retry_requested"
	TaskCancelled           = "task.cancelled"
	TaskResolvedManually    = "task.resolved_manually"
	TaskBeforeTransition    = "task.before_transition"

	StepInitializeRequested = "step.initialize_requested"
	StepExecutionRequested  = "step.execution_requested"
	StepBeforeHandle        = "step.before_handle"
	StepHandle              = "step.handle"
	StepCompleted           = "step.completed"
	StepFailed              = "step.failed"
	StepRetryRequested      = "step.retry_requested"
	StepCancelled           = "step.cancelled"
	StepResolvedManually    = "step.resolved_manually"
	StepBeforeTransition    = "step.before_transition"

	WorkflowTaskStarted               = "workflow.task_started"
	WorkflowTaskCompleted             = "workflow.task_completed"
	WorkflowTaskFailed                = "workflow.task_failed"
	WorkflowStepCompleted             = "workflow.step_completed"
	WorkflowStepFailed                = "workflow.step_failed"
	WorkflowViableStepsDiscovered     = "workflow.viable_steps_discovered"
	WorkflowNoViableSteps             = "workflow.no_viable_steps"
	WorkflowOrchestrationRequested    = "workflow.orchestration_requested"
	WorkflowTaskFinalizationStarted   = "workflow.task_finalization_started"
	WorkflowTaskFinalizationCompleted = "workflow.task_finalization_completed"
	WorkflowTaskReenqueueStarted      = "workflow.task_reenqueue_started"
	WorkflowTaskReenqueueRequested    = "workflow.task_reenqueue_requested"
	WorkflowTaskReenqueueFailed       = "workflow.task_reenqueue_failed"
	WorkflowTaskReenqueueDelayed      = "workflow.task_reenqueue_delayed"
	WorkflowTaskStateUnclear          = "workflow.task_state_unclear"
	WorkflowStepExecutionFailed       = "workflow.step_execution_failed"
	WorkflowViableStepsBatchReady     = "workflow.viable_steps_batch_ready"
	WorkflowStepsExecutionStarted     = "workflow.steps_execution_started"
	WorkflowStepsExecutionCompleted   = "workflow.steps_execution_completed"

	ObservabilityTaskHandle            = "observability.task.handle"
	ObservabilityTaskEnqueue           = "observability.task.enqueue"
	ObservabilityTaskFinalize          = "observability.task.finalize"
	ObservabilityStepHandle            = "observability.step.handle"
	ObservabilityStepFindViable        = "observability.step.find_viable"
	ObservabilityStepBackoff           = "observability.step.backoff"
	ObservabilityStepSkip              = "observability.step.skip"
	ObservabilityStepMaxRetriesReached = "observability.step.max_retries_reached"

	DatabaseQueryExecuted    = "database.query_executed"
	DependencyResolved       = "dependency.resolved"
	BatchStepExecution       = "batch.step_execution"
	MemorySpikeDetected      = "memory.spike_detected"
	PerformanceSlowOperation = "performance.slow_operation"
	PerformanceSlowSQLQuery  = "performance.slow_sql_query"
	PerformanceMemorySpike   = "performance.memory_spike"
	// PerformanceMemorySample is the sampled memory of a step. Only the Ruby bridge sends it.
	PerformanceMemorySample = "performance.memory_sample"

	HandlerRegistered          = "handler.registered"
	HandlerUnregistered        = "handler.unregistered"
	HandlerValidationFailed    = "handler.validation_failed"
	PluginRegistered           = "plugin.registered"
	PluginUnregistered         = "plugin.unregistered"
	PluginValidationFailed     = "plugin.validation_failed"
	SubscriberRegistered       = "subscriber.registered"
	SubscriberUnregistered     = "subscriber.unregistered"
	SubscriberValidationFailed = "subscriber.validation_failed"
	RegistryStatsCollected     = "registry.stats_collected"

	TelemetryCacheSynced        = "tasker.telemetry.cache_synced"
	TelemetryExportRequested    = "tasker.telemetry.export_requested"
	TelemetryExportCompleted    = "tasker.telemetry.export_completed"
	TelemetryExportFailed       = "tasker.telemetry.export_failed"
	TelemetryPluginRegistered   = "tasker.telemetry.plugin_registered"
	TelemetryPluginUnregistered = "tasker.telemetry.plugin_unregistered"
)

// telemetryGroup is the only group whose canonical names begin with "tasker.".
const telemetryGroup = "tasker.telemetry."

// Names returns every event name that Tasker or its bridge defines, in the order of docs/tasker-events.md. The caller owns
// the slice.
func Names() []string {
	return []string{
		TaskInitializeRequested, TaskStartRequested, TaskCompleted, TaskFailed, TaskRetryRequested, TaskCancelled,
		TaskResolvedManually, TaskBeforeTransition,
		StepInitializeRequested, StepExecutionRequested, StepBeforeHandle, StepHandle, StepCompleted, StepFailed,
		StepRetryRequested, StepCancelled, StepResolvedManually, StepBeforeTransition,
		WorkflowTaskStarted, WorkflowTaskCompleted, WorkflowTaskFailed, WorkflowStepCompleted, WorkflowStepFailed,
		WorkflowViableStepsDiscovered, WorkflowNoViableSteps, WorkflowOrchestrationRequested,
		WorkflowTaskFinalizationStarted, WorkflowTaskFinalizationCompleted, WorkflowTaskReenqueueStarted,
		WorkflowTaskReenqueueRequested, WorkflowTaskReenqueueFailed, WorkflowTaskReenqueueDelayed,
		WorkflowTaskStateUnclear, WorkflowStepExecutionFailed, WorkflowViableStepsBatchReady,
		WorkflowStepsExecutionStarted, WorkflowStepsExecutionCompleted,
		ObservabilityTaskHandle, ObservabilityTaskEnqueue, ObservabilityTaskFinalize, ObservabilityStepHandle,
		ObservabilityStepFindViable, ObservabilityStepBackoff, ObservabilityStepSkip, ObservabilityStepMaxRetriesReached,
		DatabaseQueryExecuted, DependencyResolved, BatchStepExecution, MemorySpikeDetected, PerformanceSlowOperation,
		PerformanceSlowSQLQuery, PerformanceMemorySpike, PerformanceMemorySample,
		HandlerRegistered, HandlerUnregistered, HandlerValidationFailed, PluginRegistered, PluginUnregistered,
		PluginValidationFailed, SubscriberRegistered, SubscriberUnregistered, SubscriberValidationFailed,
		RegistryStatsCollected,
		TelemetryCacheSynced, TelemetryExportRequested, TelemetryExportCompleted, TelemetryExportFailed,
		TelemetryPluginRegistered, TelemetryPluginUnregistered,
	}
}

// Defines reports whether Tasker defines an event of that canonical name.
func Defines(name string) bool {
	_, defined := defined()[name]
	return defined
}

// defined is the set of Names. It must not be changed.
var defined = sync.OnceValue(func() map[string]struct{} {
	names := make(map[string]struct{}, len(Names()))
	for _, name := range Names() {
		names[name] = struct{}{}
	}
	return names
})

// Canonical strips the prefix "tasker." that OTLP and CloudEvents senders add to an event name, unless it is part of
// Tasker's own name (tasker.telemetry.*).
func Canonical(name string) string {
	rest, prefixed := strings.CutPrefix(name, AttributePrefix)
	if !prefixed || strings.HasPrefix(name, telemetryGroup) {
		return name
	}
	return rest
}
