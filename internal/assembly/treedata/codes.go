// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

// code is a key of an attribute as a number, so that keys are compared once for many events.
type code uint8

const (
	// codeOther is a key that no field is read of.
	codeOther code = iota
	// codeNotShown is one that is not an attribute of a span event either.
	codeNotShown
	codeTaskID
	codeTaskName
	codeStepID
	codeStepName
	codeCorrelationID
	codeTraceparent
	codeAttemptNumber
	codeStepCount
	codeTotalSteps
	codeFinalStatus
	codeProcessingMode
	codeErrorClass
	codeExceptionClass
	codeErrorMessage
	codeBacktrace
	codeMemoryDeltaMB
	codeStepIDs
	codeStepDependencies
	codeJobID
	codeAttempt
	codeQueueName
	codeBackoffType
	codeBackoffSeconds
	codeDuration
	codeSQL
	codeName
	codeInitializationFail
	codeEventType
)

// codeOf returns the code of a key.
func codeOf(key string) code {
	switch key {
	case lifecycle.AttrTaskID:
		return codeTaskID
	case lifecycle.AttrTaskName:
		return codeTaskName
	case lifecycle.AttrStepID:
		return codeStepID
	case lifecycle.AttrStepName:
		return codeStepName
	case lifecycle.AttrCorrelationID:
		return codeCorrelationID
	case lifecycle.AttrTraceparent:
		return codeTraceparent
	case lifecycle.AttrAttemptNumber:
		return codeAttemptNumber
	case lifecycle.AttrStepCount:
		return codeStepCount
	case lifecycle.AttrTotalSteps:
		return codeTotalSteps
	case lifecycle.AttrFinalStatus:
		return codeFinalStatus
	case lifecycle.AttrProcessingMode:
		return codeProcessingMode
	case lifecycle.AttrErrorClass:
		return codeErrorClass
	case lifecycle.AttrExceptionClass:
		return codeExceptionClass
	case lifecycle.AttrErrorMessage:
		return codeErrorMessage
	case lifecycle.AttrBacktrace:
		return codeBacktrace
	case lifecycle.AttrMemoryDeltaMB:
		return codeMemoryDeltaMB
	case lifecycle.AttrStepIDs:
		return codeStepIDs
	case lifecycle.AttrStepDependencies:
		return codeStepDependencies
	case lifecycle.AttrJobID:
		return codeJobID
	case lifecycle.AttrAttempt:
		return codeAttempt
	case lifecycle.AttrQueueName:
		return codeQueueName
	case lifecycle.AttrBackoffType:
		return codeBackoffType
	case lifecycle.AttrBackoffSeconds:
		return codeBackoffSeconds
	case lifecycle.AttrDuration:
		return codeDuration
	case lifecycle.AttrSQL:
		return codeSQL
	case lifecycle.AttrName:
		return codeName
	case lifecycle.AttrInitializationFail:
		return codeInitializationFail
	case lifecycle.AttrEventType:
		return codeEventType
	case lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity, lifecycle.AttrEventID, lifecycle.AttrTimestamp:
		return codeNotShown
	}
	return codeOther
}

// read reports whether values of such keys are read of an event, which may be shown as a span event.
func (of code) read(shown bool) bool { return of != codeNotShown && (of != codeOther || shown) }

// codes is a set of them.
type codes uint64
