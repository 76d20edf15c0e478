// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reads reports whether a tree can depend on an attribute of an event. An event that becomes a span event needs them all.
type Reads struct {
	codes codes
	shown bool
}

// ReadsOf returns the attributes read of events of one name.
func ReadsOf(name string) Reads {
	return Reads{always | readsOf(name), (&event.Event{Name: name}).ShowsAttributes()}
}

// always are the keys read of every event.
const always codes = 1<<codeTaskID | 1<<codeTaskName | 1<<codeStepID | 1<<codeStepName | 1<<codeCorrelationID | 1<<codeTraceparent |
	1<<codeAttemptNumber | 1<<codeStepCount | 1<<codeTotalSteps | 1<<codeFinalStatus | 1<<codeProcessingMode | 1<<codeErrorClass |
	1<<codeExceptionClass | 1<<codeErrorMessage | 1<<codeBacktrace | 1<<codeMemoryDeltaMB

// readsOf returns the further keys read of events of one name.
func readsOf(name string) codes {
	switch name {
	case lifecycle.WorkflowViableStepsDiscovered:
		return 1 << codeStepIDs
	case lifecycle.StepExecutionRequested:
		return 1 << codeStepDependencies
	case lifecycle.ObservabilityTaskEnqueue:
		return 1<<codeJobID | 1<<codeAttempt | 1<<codeQueueName
	case lifecycle.ObservabilityStepBackoff:
		return 1<<codeBackoffType | 1<<codeBackoffSeconds
	case lifecycle.DatabaseQueryExecuted:
		return 1<<codeDuration | 1<<codeSQL | 1<<codeName
	case lifecycle.TaskFailed, lifecycle.StepFailed:
		return 1<<codeInitializationFail | 1<<codeEventType
	}
	return 0
}

// All reports whether every attribute is read.
func (r Reads) All() bool { return r.shown }

// Key reports whether the attribute is read.
func (r Reads) Key(key string) bool { return r.shown || r.codes>>codeOf(key)&1 != 0 }
