// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Fields of an event. The time is a difference to the previous event in the group. Fields up to eventCorrelation, which are mostly
// equal within a task or for several events in a row, are written only where they differ from the previous event.
const (
	eventIdentity protowire.Number = iota + 1
	eventName
	eventAt
	eventTask
	eventTaskInteger
	eventTaskName
	eventStep
	eventStepInteger
	eventStepName
	eventCorrelation
	eventTraceparent
	eventAttempt // plus one, like the job's run: 0 means absent
	eventStepCount
	eventTotalSteps
	eventStepIDs
	eventDependencies
	eventHasJob
	eventJobRun
	eventQueueName
	eventFinalStatus
	eventMode
	eventErrorClass
	eventException
	eventErrorMessage
	eventBacktrace
	eventBackoffType
	eventBackoffFor
	eventQueryDuration
	eventSQL
	eventRefused
	eventAttribute
	eventQueryName
	eventMemoryDelta
)

// repeated are the fields of an event that are compared with those of the next one in the group.
type repeated struct {
	at            int64
	task, step    event.ID
	taskName      string
	stepName      string
	correlationID string
}

func repeatedOf(e *event.Event) repeated {
	return repeated{at: e.At, task: e.TaskID, step: e.StepID, taskName: e.TaskName, stepName: e.StepName, correlationID: e.CorrelationID}
}

// appendEvent appends an event after the one before it in the group.
func appendEvent(b []byte, e *event.Event, before *repeated, name int, scratch []byte) ([]byte, []byte) {
	b = fields.Fixed(b, eventIdentity, e.Identity)
	b = fields.Int(b, eventName, int64(name))
	b = fields.Int(b, eventAt, e.At-before.at)
	b = appendID(b, eventTask, eventTaskInteger, e.TaskID, before.task)
	b = appendChanged(b, eventTaskName, e.TaskName, before.taskName)
	b = appendID(b, eventStep, eventStepInteger, e.StepID, before.step)
	b = appendChanged(b, eventStepName, e.StepName, before.stepName)
	b = appendChanged(b, eventCorrelation, e.CorrelationID, before.correlationID)
	b = fields.Text(b, eventTraceparent, e.Traceparent)
	b = fields.Int(b, eventAttempt, int64(e.Attempt)+1)
	b = fields.Int(b, eventStepCount, int64(e.StepCount))
	b = fields.Int(b, eventTotalSteps, int64(e.TotalSteps))
	for _, id := range e.StepIDs {
		b = fields.Element(b, eventStepIDs, id)
	}
	for _, name := range e.Dependencies {
		b = fields.Element(b, eventDependencies, name)
	}
	b = fields.Bool(b, eventHasJob, e.HasJob)
	b = fields.Int(b, eventJobRun, int64(e.JobRun)+1)
	b = fields.Text(b, eventQueueName, e.QueueName)
	b = fields.Text(b, eventFinalStatus, e.FinalStatus)
	b = fields.Text(b, eventMode, e.Mode)
	b = fields.Text(b, eventErrorClass, e.ErrorClass)
	b = fields.Text(b, eventException, e.Exception)
	b = fields.Text(b, eventErrorMessage, e.ErrorMessage)
	b = fields.Text(b, eventBacktrace, e.Backtrace)
	b = fields.Text(b, eventBackoffType, e.BackoffType)
	b = fields.Float(b, eventBackoffFor, e.BackoffFor)
	b = fields.Float(b, eventQueryDuration, e.QueryDuration)
	b = fields.Text(b, eventSQL, e.SQL)
	b = fields.Bool(b, eventRefused, e.Refused)
	b = fields.Text(b, eventQueryName, e.QueryName)
	b = fields.Float(b, eventMemoryDelta, e.MemoryDeltaMB)
	for i := range e.Attributes {
		scratch = attribute.Append(scratch[:0], &e.Attributes[i])
		b = fields.Message(b, eventAttribute, scratch)
	}
	return b, scratch
}

func appendChanged(b []byte, number protowire.Number, text, before string) []byte {
	if text == before {
		return b
	}
	return fields.Element(b, number, text)
}

// appendID appends an id, in the field that matches its type.
func appendID(b []byte, text, integer protowire.Number, id, before event.ID) []byte {
	if id == before {
		return b
	}
	b = fields.Element(b, text, id.Text)
	return fields.Bool(b, integer, id.Integer)
}

// readEvent reads an event over the one before it in the group, which it replaces. Its strings are copies,
// because the entry belongs to the journal.
func readEvent(data []byte, e *event.Event, names []string) error {
	*e = event.Event{
		TraceID: e.TraceID, Resource: e.Resource, At: e.At, TaskID: e.TaskID, TaskName: e.TaskName, StepID: e.StepID, StepName: e.StepName,
		CorrelationID: e.CorrelationID, Attempt: -1, JobRun: -1,
		StepIDs: e.StepIDs[:0], Dependencies: e.Dependencies[:0], Attributes: e.Attributes[:0],
	}
	name := int64(0)
	err := fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case eventIdentity:
			e.Identity = f.Bits
		case eventName:
			name = f.Int()
		case eventAt:
			e.At += f.Int()
		case eventTask:
			e.TaskID = event.ID{Text: string(f.Data)}
		case eventTaskInteger:
			e.TaskID.Integer = f.Int() != 0
		case eventTaskName:
			e.TaskName = string(f.Data)
		case eventStep:
			e.StepID = event.ID{Text: string(f.Data)}
		case eventStepInteger:
			e.StepID.Integer = f.Int() != 0
		case eventStepName:
			e.StepName = string(f.Data)
		case eventCorrelation:
			e.CorrelationID = string(f.Data)
		case eventTraceparent:
			e.Traceparent = string(f.Data)
		case eventAttempt:
			e.Attempt = int(f.Int()) - 1
		case eventStepCount:
			e.StepCount = int(f.Int())
		case eventTotalSteps:
			e.TotalSteps = int(f.Int())
		case eventStepIDs:
			e.StepIDs = append(e.StepIDs, string(f.Data))
		case eventDependencies:
			e.Dependencies = append(e.Dependencies, string(f.Data))
		case eventHasJob:
			e.HasJob = f.Int() != 0
		case eventJobRun:
			e.JobRun = int(f.Int()) - 1
		case eventQueueName:
			e.QueueName = string(f.Data)
		case eventFinalStatus:
			e.FinalStatus = string(f.Data)
		case eventMode:
			e.Mode = string(f.Data)
		case eventErrorClass:
			e.ErrorClass = string(f.Data)
		case eventException:
			e.Exception = string(f.Data)
		case eventErrorMessage:
			e.ErrorMessage = string(f.Data)
		case eventBacktrace:
			e.Backtrace = string(f.Data)
		case eventBackoffType:
			e.BackoffType = string(f.Data)
		case eventBackoffFor:
			e.BackoffFor = f.Float()
		case eventQueryDuration:
			e.QueryDuration = f.Float()
		case eventSQL:
			e.SQL = string(f.Data)
		case eventRefused:
			e.Refused = f.Int() != 0
		case eventQueryName:
			e.QueryName = string(f.Data)
		case eventMemoryDelta:
			e.MemoryDeltaMB = f.Float()
		case eventAttribute:
			kv, err := attribute.Read(f.Data)
			e.Attributes = append(e.Attributes, kv)
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	if name < 0 || name >= int64(len(names)) {
		return fmt.Errorf("an event has name %d of %d", name, len(names))
	}
	e.Name = names[name]
	return nil
}
