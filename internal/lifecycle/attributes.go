// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// Instrumentation scopes of the telemetry that this project produces.
const (
	// ScopeEvents is the scope of events, as log records and as event spans. Event spans have no duration and are input for
	// span_hierarchy.
	ScopeEvents = "tasker.events"
	// ScopeSpans is the scope of finished spans, made by span_hierarchy.
	ScopeSpans = "tasker.spans"
	// ScopeReceivedPrefix is prepended to one of these scope names on spans received over the network.
	ScopeReceivedPrefix = "received."
	// ScopeMetrics is the scope of metrics made by span_to_metrics.
	ScopeMetrics = "tasker.metrics"
)

// SchemaURL is the semantic conventions version of the attributes that are not Tasker's. It is set on the scopes of spans
// and records but not of metrics, where Prometheus would make it a label that changes with each version.
const SchemaURL = "https://opentelemetry.io/schemas/1.43.0"

// AttributePrefix precedes each payload key of an event.
const AttributePrefix = "tasker."

// Attribute keys of events. A payload key K becomes tasker.K; these are the ones that the collector reads.
const (
	AttrTaskID                 = "tasker.task_id"
	AttrTaskName               = "tasker.task_name"
	AttrStepID                 = "tasker.step_id"
	AttrStepName               = "tasker.step_name"
	AttrStepIDs                = "tasker.step_ids"
	AttrStepNames              = "tasker.step_names"
	AttrStepCount              = "tasker.step_count"
	AttrViableCount            = "tasker.viable_count"
	AttrStepDependencies       = "tasker.step_dependencies"
	AttrAttemptNumber          = "tasker.attempt_number"
	AttrAttempt                = "tasker.attempt"
	AttrRetryLimit             = "tasker.retry_limit"
	AttrJobID                  = "tasker.job_id"
	AttrQueueName              = "tasker.queue_name"
	AttrCorrelationID          = "tasker.correlation_id"
	AttrEventType              = "tasker.event_type"
	AttrTimestamp              = "tasker.timestamp"
	AttrTransitionedAt         = "tasker.transitioned_at"
	AttrCompletedAt            = "tasker.completed_at"
	AttrToState                = "tasker.to_state"
	AttrErrorMessage           = "tasker.error_message"
	AttrErrorClass             = "tasker.error_class"
	AttrExceptionClass         = "tasker.exception_class"
	AttrBacktrace              = "tasker.backtrace"
	AttrReason                 = "tasker.reason"
	AttrFinalStatus            = "tasker.final_status"
	AttrBackoffSeconds         = "tasker.backoff_seconds"
	AttrBackoffType            = "tasker.backoff_type"
	AttrProcessingMode         = "tasker.processing_mode"
	AttrTotalSteps             = "tasker.total_steps"
	AttrOperation              = "tasker.operation"
	AttrDuration               = "tasker.duration"
	AttrMemoryDeltaMB          = "tasker.memory_delta_mb"
	AttrSQL                    = "tasker.sql"
	AttrName                   = "tasker.name"
	AttrTotalExecutionDuration = "tasker.total_execution_duration"
	AttrExecutionDuration      = "tasker.execution_duration"
	AttrInitializationFail     = "tasker.initialization_failed"
	AttrTraceparent            = "tasker.traceparent"
)

// Attribute keys that the collector adds.
const (
	// AttrEventID identifies an item across resends: the sender's ID, or a hash of the item.
	AttrEventID = "tasker.event_id"
	// AttrClock is ClockReceipt on an event whose time is that of its receipt, because it had no plausible time.
	AttrClock = "tasker.clock"
	// AttrImpossibleTime is the implausible time that an event had when it was received.
	AttrImpossibleTime = "tasker.impossible_time"
	// AttrSignals is event_router's decision, a [Signals] in text form, which connectors behind the router obey. The
	// router's attributes have a prefix of their own because an application's payload may have keys such as signals or
	// priority.
	AttrSignals = "tasker.route.signals"
	// AttrPriority is the route's priority: low, normal, high or critical; absent when normal.
	AttrPriority = "tasker.route.priority"
	// AttrIdentity is the identity of an event across resends, a 64-bit integer (docs/identity.md). tasker_events or else
	// event_router sets it, before attributes are removed or redacted.
	AttrIdentity = "tasker.route.identity"
	// AttrEventBatch holds, on a log record or span that stands for many events, these events as encoded by package eventbatch.
	// AttrEventDecisions has the router's decisions on them, and AttrEventCount is the number of those kept.
	AttrEventBatch     = "tasker.event_batch"
	AttrEventDecisions = "tasker.event_decisions"
	AttrEventCount     = "tasker.event_count"
	// AttrStatus is the outcome of a task's, step's or pass's span: a [Status].
	AttrStatus = "tasker.status"
	// AttrSynthesized is true on a span, or a level, that no event announced.
	AttrSynthesized = "tasker.synthesized"
	// AttrLevelsCompleted is true on one of Tasker's own spans, received over OTLP, to which span_hierarchy has added the
	// missing levels.
	AttrLevelsCompleted = "tasker.levels_completed"
	// AttrIncomplete is true on a span whose end no event announced.
	AttrIncomplete = "tasker.incomplete"
	// AttrReleaseReason says why an incomplete tree was emitted: idle, evicted, evicted_bytes or shutdown (docs/span-hierarchy.md).
	AttrReleaseReason = "tasker.release_reason"
	// AttrTruncated is true on a task's span whose tree was cut at a limit.
	AttrTruncated = "tasker.truncated"
	// AttrThreadCorrelationID is the id of the pool thread that ran a step (docs/tasker-events.md, trap 6).
	AttrThreadCorrelationID = "tasker.thread_correlation_id"

	// Fields of Tasker's structured log that follow from an event (connector/routedevents).
	AttrComponent           = "tasker.component"
	AttrEntityType          = "tasker.entity_type"
	AttrEntityID            = "tasker.entity_id"
	AttrEntityName          = "tasker.entity_name"
	AttrDurationMS          = "tasker.duration_ms"
	AttrPerformanceCategory = "tasker.performance_category"

	AttrAttempts        = "tasker.attempts"
	AttrSteps           = "tasker.steps"
	AttrPasses          = "tasker.passes"
	AttrRetries         = "tasker.retries"
	AttrQueueSeconds    = "tasker.queue_seconds"
	AttrBackoffTotal    = "tasker.backoff_total_seconds"
	AttrRun             = "tasker.run"
	AttrBatchIndex      = "tasker.batch_index"
	AttrBatchSize       = "tasker.batch_size"
	AttrPassIndex       = "tasker.pass_index"
	AttrCriticalPath    = "tasker.critical_path"
	AttrBottleneck      = "tasker.critical_path.bottleneck"
	AttrBottleneckShare = "tasker.critical_path.bottleneck_share"
	// AttrCriticalPathSpans are the ids of the attempts' spans on the critical path, in hexadecimal, first to last.
	AttrCriticalPathSpans = "tasker.critical_path.span_ids"

	// The parts of a task's duration along its critical path, in seconds. They add up to it.
	AttrCriticalSteps         = "tasker.critical_path.steps_seconds"
	AttrCriticalQueue         = "tasker.critical_path.queue_seconds"
	AttrCriticalBackoff       = "tasker.critical_path.backoff_seconds"
	AttrCriticalOrchestration = "tasker.critical_path.orchestration_seconds"

	AttrRefusedAtCreation = "tasker.refused"

	// AttrThreshold is, on a performance event, the exceeded threshold in seconds, AttrThresholdMB that of memory in
	// megabytes.
	AttrThreshold   = "tasker.threshold"
	AttrThresholdMB = "tasker.threshold_mb"
	// AttrDetectedBy names the detector of a performance event that the collector adds; the engine's events lack it.
	AttrDetectedBy = "tasker.detected_by"
)

// DetectedBySpanHierarchy is the value of [AttrDetectedBy] on the events of span_hierarchy's performance monitor.
const DetectedBySpanHierarchy = "span_hierarchy"

// ClockReceipt is the value of AttrClock.
const ClockReceipt = "receipt"

// Attribute keys of the semantic conventions of [SchemaURL] that this project uses.
const (
	AttrErrorType           = "error.type"
	AttrExceptionType       = "exception.type"
	AttrExceptionMessage    = "exception.message"
	AttrExceptionStacktrace = "exception.stacktrace"
	AttrDBOperationName     = "db.operation.name"
	AttrDBCollectionName    = "db.collection.name"
	AttrDBQueryText         = "db.query.text"
	AttrRecordUID           = "log.record.uid"
	AttrServiceName         = "service.name"
	AttrServiceNamespace    = "service.namespace"
	AttrServiceInstanceID   = "service.instance.id"
)

// EventBatch is the name of a log record, and of a span, that stands for many events.
const EventBatch = "tasker.event_batch"

// Names of the finished spans.
const (
	SpanTask          = "tasker.task.execution"
	SpanOrchestration = "tasker.workflow.orchestration"
	SpanBatch         = "tasker.batch.execution"
	SpanStep          = "tasker.step.execution"
	SpanHandler       = "tasker.step.handler"
	SpanQuery         = "tasker.database.query"
	SpanQueued        = "tasker.task.queued"
	SpanBackoff       = "tasker.step.backoff"
	SpanDependency    = "tasker.dependency.resolution"
	SpanFinalization  = "tasker.task.finalization"
)

// Status is the outcome of a finished task, step or pass: the value of AttrStatus and of the label "status".
type Status string

// The outcomes of tasks, steps and passes.
const (
	StatusSuccess          Status = "success"
	StatusFailure          Status = "failure"
	StatusCancelled        Status = "cancelled"
	StatusResolvedManually Status = "resolved_manually"
)

// FinalStatus returns the outcome of a task from the final_status of workflow.task_finalization_completed; empty if the
// task continues.
func FinalStatus(finalStatus string) Status {
	switch finalStatus {
	case "complete":
		return StatusSuccess
	case "error":
		return StatusFailure
	case "cancelled":
		return StatusCancelled
	case "resolved_manually":
		return StatusResolvedManually
	}
	return ""
}
