// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// version is the first byte of a batch.
const version = 2

// Flags of the fields that an event has besides its name. The values follow in this order.
const (
	hasTaskID uint32 = 1 << iota
	hasTaskName
	hasStepID
	hasStepName
	hasCorrelationID
	hasTraceparent
	hasQueueName
	hasFinalStatus
	hasMode
	hasErrorClass
	hasException
	hasErrorMessage
	hasBacktrace
	hasBackoffType
	hasSQL
	hasQueryName
	hasAttempt
	hasStepCount
	hasTotalSteps
	hasJobRun
	hasBackoffFor
	hasQueryDuration
	hasMemoryDelta
	hasStepIDs
	hasDependencies
	hasAttributes
	// Flags without a value.
	isTaskInteger
	isStepInteger
	hasJob
	isRefused
	unknown
)

// headBytes are the bytes of an event before its texts: length, trace id, identity, time and flags.
const (
	lengthBytes = 5
	traceBytes  = 2 * word64Bytes
	headBytes   = lengthBytes + traceBytes + 2*word64Bytes + word32Bytes
)

// Writer makes one batch at a time. Its memory is reused for the next.
type Writer struct {
	batch  []byte
	events int
}

// Begin begins a batch.
func (w *Writer) Begin() { w.batch, w.events = append(w.batch[:0], version), 0 }

// Events returns the number of events in the batch.
func (w *Writer) Events() int { return w.events }

// Size returns the capacity of the buffer kept for the next batch.
func (w *Writer) Size() int { return cap(w.batch) }

// Batch returns a copy of the batch.
func (w *Writer) Batch() string { return string(w.batch) }

// Add adds an event, without its resource.
func (w *Writer) Add(e *event.Event) {
	w.events++
	from := len(w.batch)
	b := append(w.batch, make([]byte, headBytes)...)
	has := uint32(0)
	text := func(bit uint32, text string) {
		if text != "" {
			has |= bit
			b = appendText(b, text)
		}
	}
	b = appendText(b, e.Name)
	text(hasTaskID, e.TaskID.Text)
	text(hasTaskName, e.TaskName)
	text(hasStepID, e.StepID.Text)
	text(hasStepName, e.StepName)
	text(hasCorrelationID, e.CorrelationID)
	text(hasTraceparent, e.Traceparent)
	text(hasQueueName, e.QueueName)
	text(hasFinalStatus, e.FinalStatus)
	text(hasMode, e.Mode)
	text(hasErrorClass, e.ErrorClass)
	text(hasException, e.Exception)
	text(hasErrorMessage, e.ErrorMessage)
	text(hasBacktrace, e.Backtrace)
	text(hasBackoffType, e.BackoffType)
	text(hasSQL, e.SQL)
	text(hasQueryName, e.QueryName)
	number := func(bit uint32, n, absent int) {
		if n != absent {
			has |= bit
			b = appendInt(b, int64(n))
		}
	}
	number(hasAttempt, e.Attempt, -1)
	number(hasStepCount, e.StepCount, 0)
	number(hasTotalSteps, e.TotalSteps, 0)
	number(hasJobRun, e.JobRun, -1)
	double := func(bit uint32, f float64) {
		if f != 0 {
			has |= bit
			b = appendWord64(b, math.Float64bits(f))
		}
	}
	double(hasBackoffFor, e.BackoffFor)
	double(hasQueryDuration, e.QueryDuration)
	double(hasMemoryDelta, e.MemoryDeltaMB)
	list := func(bit uint32, texts []string) {
		if len(texts) > 0 {
			has |= bit
			b = appendTexts(b, texts)
		}
	}
	list(hasStepIDs, e.StepIDs)
	list(hasDependencies, e.Dependencies)
	if len(e.Attributes) > 0 {
		has |= hasAttributes
		b = appendUint(b, uint64(len(e.Attributes)))
		for i := range e.Attributes {
			b = appendAttribute(b, &e.Attributes[i])
		}
	}
	flag := func(bit uint32, on bool) {
		if on {
			has |= bit
		}
	}
	flag(isTaskInteger, e.TaskID.Integer)
	flag(isStepInteger, e.StepID.Integer)
	flag(hasJob, e.HasJob)
	flag(isRefused, e.Refused)

	head := b[from : from+headBytes]
	putWord(head[:lengthBytes], uint64(len(b)-from-lengthBytes))
	head = head[lengthBytes:]
	putTrace(head, e.TraceID)
	putWord(head[traceBytes:][:word64Bytes], e.Identity)
	putWord(head[traceBytes+word64Bytes:][:word64Bytes], uint64(e.At))
	putWord(head[traceBytes+2*word64Bytes:][:word32Bytes], uint64(has))
	w.batch = b
}

func appendAttribute(b []byte, a *attribute.KeyValue) []byte {
	b = append(appendText(b, a.Key), byte(a.Value.Kind))
	switch a.Value.Kind {
	case attribute.KindString:
		return appendText(b, a.Value.Text)
	case attribute.KindDouble:
		return appendWord64(b, math.Float64bits(a.Value.Double))
	case attribute.KindStrings:
		return appendTexts(b, a.Value.Strings)
	default:
		return appendInt(b, a.Value.Int)
	}
}
