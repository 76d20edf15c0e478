// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// Priority is the importance of an event when not all events can be processed.
type Priority string

// The priorities, in ascending order.
const (
	PriorityLow      Priority = "low"
	PriorityNormal   Priority = "normal"
	PriorityHigh     Priority = "high"
	PriorityCritical Priority = "critical"
)

// Route is the routing of the events that a pattern matches.
type Route struct {
	// Event is an exact name, or a glob in which * matches any run of characters.
	Event string
	// Signals are the signals to produce.
	Signals Signals
	// SamplingRate, 0 to 1, is the share of tasks whose events of this name become traces and logs. Metrics are not
	// sampled.
	SamplingRate float64
	Priority     Priority
}

// DefaultRoutes returns the built-in map: Tasker's own (docs/tasker-events.md, "Default routes") and what a five-level tree
// needs in addition. The enqueue event also goes to traces, because the queue wait is a span, and the other three
// performance.* events are routed like the first. The caller owns the slice.
func DefaultRoutes() []Route {
	const both = SignalTraces | SignalMetrics
	return []Route{
		{TaskInitializeRequested, both, 1, PriorityNormal},
		{TaskStartRequested, both, 1, PriorityNormal},
		{TaskCompleted, both, 1, PriorityNormal},
		{TaskFailed, both, 1, PriorityNormal},
		{StepExecutionRequested, both, 1, PriorityNormal},
		{StepCompleted, both, 1, PriorityNormal},
		{StepFailed, both, 1, PriorityNormal},
		{StepRetryRequested, both, 1, PriorityNormal},
		{WorkflowViableStepsDiscovered, both, 1, PriorityNormal},
		{ObservabilityStepBackoff, both, 1, PriorityNormal},
		{ObservabilityStepSkip, both, 1, PriorityNormal},
		{ObservabilityStepMaxRetriesReached, both, 1, PriorityHigh},
		{DatabaseQueryExecuted, both, 0.1, PriorityNormal},
		{BatchStepExecution, both, 1, PriorityNormal},
		{PerformanceSlowOperation, both, 1, PriorityHigh},
		{PerformanceSlowSQLQuery, both, 1, PriorityHigh},
		{PerformanceMemorySpike, both, 1, PriorityHigh},
		{PerformanceMemorySample, both, 1, PriorityLow},

		{ObservabilityTaskFinalize, SignalTraces, 1, PriorityNormal},
		{ObservabilityStepFindViable, SignalTraces, 1, PriorityNormal},
		{ObservabilityStepHandle, SignalTraces, 1, PriorityNormal},
		{StepBeforeHandle, SignalTraces, 1, PriorityNormal},
		{DependencyResolved, SignalTraces, 1, PriorityNormal},

		{ObservabilityTaskEnqueue, both, 1, PriorityHigh},
		{MemorySpikeDetected, SignalMetrics, 1, PriorityCritical},

		{WorkflowTaskStarted, both, 1, PriorityNormal},
		{WorkflowStepsExecutionStarted, both, 1, PriorityNormal},
		{WorkflowStepsExecutionCompleted, both, 1, PriorityNormal},
		{WorkflowTaskFinalizationStarted, both, 1, PriorityNormal},
		{WorkflowTaskFinalizationCompleted, both, 1, PriorityNormal},
		{WorkflowTaskReenqueueStarted, both, 1, PriorityNormal},
		{WorkflowTaskReenqueueRequested, both, 1, PriorityNormal},
		{WorkflowTaskReenqueueFailed, both, 1, PriorityNormal},
		{WorkflowTaskReenqueueDelayed, both, 1, PriorityNormal},
		{TaskCancelled, both, 1, PriorityNormal},
		{TaskResolvedManually, both, 1, PriorityNormal},
		{StepCancelled, both, 1, PriorityNormal},
		{StepResolvedManually, both, 1, PriorityNormal},
		{StepInitializeRequested, both, 1, PriorityNormal},
	}
}
