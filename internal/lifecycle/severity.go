// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import "strings"

// Severity is the severity of an event's log record, with the values of OpenTelemetry's SeverityNumber.
type Severity uint8

// The severities of Tasker's events.
const (
	SeverityDebug Severity = 5
	SeverityInfo  Severity = 9
	SeverityWarn  Severity = 13
	SeverityError Severity = 17
)

// String returns OpenTelemetry's short name of the severity.
func (s Severity) String() string {
	switch s {
	case SeverityDebug:
		return "DEBUG"
	case SeverityInfo:
		return "INFO"
	case SeverityWarn:
		return "WARN"
	case SeverityError:
		return "ERROR"
	}
	return "UNSPECIFIED"
}

// SeverityOf returns the severity of an event by its canonical name: failures are errors; cancellations, retries and
// exceeded thresholds are warnings; the engine's orchestration is debug; everything else is info. Application events follow
// the same suffixes: payment.failed is an error.
func SeverityOf(event string) Severity {
	switch event {
	case ObservabilityStepBackoff, ObservabilityStepMaxRetriesReached, WorkflowTaskStateUnclear,
		WorkflowTaskReenqueueDelayed, MemorySpikeDetected, PerformanceSlowOperation, PerformanceSlowSQLQuery,
		PerformanceMemorySpike:
		return SeverityWarn
	}
	switch {
	case strings.HasSuffix(event, "failed"):
		return SeverityError
	case strings.HasSuffix(event, "cancelled"), strings.HasSuffix(event, "retry_requested"):
		return SeverityWarn
	case strings.HasPrefix(event, "workflow."), strings.HasPrefix(event, "observability."):
		return SeverityDebug
	}
	return SeverityInfo
}
