// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reads reports whether a tree can depend on an attribute of an event. An event that becomes a span event needs them all.
type Reads struct {
	name  string
	shown bool
}

// ReadsOf returns the attributes read of events of one name.
func ReadsOf(name string) Reads {
	return Reads{name, (&event.Event{Name: name}).ShowsAttributes()}
}

// All reports whether every attribute is read.
func (r Reads) All() bool { return r.shown }

// Key reports whether the attribute is read.
func (r Reads) Key(key string) bool {
	if r.shown {
		return true
	}
	switch key {
	case lifecycle.AttrTaskID, lifecycle.AttrTaskName, lifecycle.AttrStepID, lifecycle.AttrStepName, lifecycle.AttrCorrelationID,
		lifecycle.AttrTraceparent, lifecycle.AttrAttemptNumber, lifecycle.AttrStepCount, lifecycle.AttrTotalSteps,
		lifecycle.AttrFinalStatus, lifecycle.AttrProcessingMode, lifecycle.AttrErrorClass, lifecycle.AttrExceptionClass,
		lifecycle.AttrErrorMessage, lifecycle.AttrBacktrace, lifecycle.AttrMemoryDeltaMB:
		return true
	case lifecycle.AttrStepIDs:
		return r.name == lifecycle.WorkflowViableStepsDiscovered
	case lifecycle.AttrStepDependencies:
		return r.name == lifecycle.StepExecutionRequested
	case lifecycle.AttrJobID, lifecycle.AttrAttempt, lifecycle.AttrQueueName:
		return r.name == lifecycle.ObservabilityTaskEnqueue
	case lifecycle.AttrBackoffType, lifecycle.AttrBackoffSeconds:
		return r.name == lifecycle.ObservabilityStepBackoff
	case lifecycle.AttrDuration, lifecycle.AttrSQL, lifecycle.AttrName:
		return r.name == lifecycle.DatabaseQueryExecuted
	case lifecycle.AttrInitializationFail, lifecycle.AttrEventType:
		return r.name == lifecycle.TaskFailed || r.name == lifecycle.StepFailed
	}
	return false
}
