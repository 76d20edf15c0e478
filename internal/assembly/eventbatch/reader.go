// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"errors"
	"fmt"
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

var errMalformed = errors.New("a batch of events is malformed")

// Reader reads the events of batches. Its memory is reused for the next event.
type Reader struct {
	event event.Event
	rest  string
	bad   bool
}

// Each visits the events of a batch with the trace id of each and its offset for [Reader.Event].
func Each(batch string, visit func(trace event.TraceID, at int)) error {
	if batch == "" {
		return errMalformed
	}
	if batch[0] != version {
		return fmt.Errorf("a batch of events has version %d; this collector reads version %d", batch[0], version)
	}
	for at := 1; at < len(batch); {
		if len(batch)-at < headBytes {
			return errMalformed
		}
		length, ok := word(batch[at : at+lengthBytes])
		if !ok || length < headBytes-lengthBytes || length > uint64(len(batch)-at-lengthBytes) {
			return errMalformed
		}
		trace, ok := traceID(batch[at+lengthBytes:])
		if !ok {
			return errMalformed
		}
		visit(trace, at)
		at += lengthBytes + int(length)
	}
	return nil
}

// Event reads the event at an offset from Each. It is valid until the next call. Its strings are parts of the batch.
func (r *Reader) Event(batch string, at int, resource *event.Resource) (*event.Event, error) {
	if err := r.Read(batch, at, resource, &r.event); err != nil {
		return nil, err
	}
	return &r.event, nil
}

// Read is Event into memory of the caller, whose lists it reuses.
func (r *Reader) Read(batch string, at int, resource *event.Resource, e *event.Event) error {
	length, _ := word(batch[at : at+lengthBytes]) // checked by Each
	r.rest, r.bad = batch[at+lengthBytes:at+lengthBytes+int(length)], false
	trace, _ := traceID(r.rest)
	r.rest = r.rest[traceBytes:]
	*e = event.Event{
		TraceID: trace, Identity: r.word(word64Bytes), At: int64(r.word(word64Bytes)),
		Resource: resource, Attempt: -1, JobRun: -1,
		StepIDs: e.StepIDs[:0], Dependencies: e.Dependencies[:0], Attributes: e.Attributes[:0],
	}
	has := uint32(r.word(word32Bytes))
	e.Name = r.text()
	r.texts(e, has)
	r.numbers(e, has)
	if has&hasStepIDs != 0 {
		e.StepIDs = r.list(e.StepIDs)
	}
	if has&hasDependencies != 0 {
		e.Dependencies = r.list(e.Dependencies)
	}
	if has&hasAttributes != 0 {
		for range r.count() {
			e.Attributes = append(e.Attributes, r.attribute())
		}
	}
	e.TaskID.Integer, e.StepID.Integer = has&isTaskInteger != 0, has&isStepInteger != 0
	e.HasJob, e.Refused = has&hasJob != 0, has&isRefused != 0
	if r.bad || len(r.rest) > 0 || has >= unknown {
		return errMalformed
	}
	return nil
}

func (r *Reader) texts(e *event.Event, has uint32) {
	for bit := hasTaskID; bit <= hasQueryName; bit <<= 1 {
		if has&bit == 0 {
			continue
		}
		text := r.text()
		switch bit {
		case hasTaskID:
			e.TaskID.Text = text
		case hasTaskName:
			e.TaskName = text
		case hasStepID:
			e.StepID.Text = text
		case hasStepName:
			e.StepName = text
		case hasCorrelationID:
			e.CorrelationID = text
		case hasTraceparent:
			e.Traceparent = text
		case hasQueueName:
			e.QueueName = text
		case hasFinalStatus:
			e.FinalStatus = text
		case hasMode:
			e.Mode = text
		case hasErrorClass:
			e.ErrorClass = text
		case hasException:
			e.Exception = text
		case hasErrorMessage:
			e.ErrorMessage = text
		case hasBacktrace:
			e.Backtrace = text
		case hasBackoffType:
			e.BackoffType = text
		case hasSQL:
			e.SQL = text
		case hasQueryName:
			e.QueryName = text
		}
	}
}

func (r *Reader) numbers(e *event.Event, has uint32) {
	if has&hasAttempt != 0 {
		e.Attempt = r.number()
	}
	if has&hasStepCount != 0 {
		e.StepCount = r.number()
	}
	if has&hasTotalSteps != 0 {
		e.TotalSteps = r.number()
	}
	if has&hasJobRun != 0 {
		e.JobRun = r.number()
	}
	if has&hasBackoffFor != 0 {
		e.BackoffFor = r.double()
	}
	if has&hasQueryDuration != 0 {
		e.QueryDuration = r.double()
	}
	if has&hasMemoryDelta != 0 {
		e.MemoryDeltaMB = r.double()
	}
}

func (r *Reader) attribute() attribute.KeyValue {
	a := attribute.KeyValue{Key: r.text(), Value: attribute.Value{Kind: attribute.Kind(r.byte())}}
	switch a.Value.Kind {
	case attribute.KindString:
		a.Value.Text = r.text()
	case attribute.KindInt, attribute.KindBool:
		a.Value.Int = r.int()
	case attribute.KindDouble:
		a.Value.Double = r.double()
	case attribute.KindStrings:
		a.Value.Strings = r.list(nil)
	default:
		r.fail()
	}
	return a
}

func (r *Reader) list(into []string) []string {
	for range r.count() {
		into = append(into, r.text())
	}
	return into
}

// count returns the length of a list. Each element takes a byte at least.
func (r *Reader) count() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *Reader) number() int { return int(r.int()) }

func (r *Reader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *Reader) uint() (n uint64) {
	for i := range min(maxNumber, len(r.rest)) {
		b := r.rest[i]
		n |= uint64(b&numberMask) << (numberBits * i)
		if b < numberMore {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *Reader) double() float64 { return math.Float64frombits(r.word(word64Bytes)) }

func (r *Reader) word(size int) uint64 {
	if len(r.rest) < size {
		r.fail()
		return 0
	}
	n, ok := word(r.rest[:size])
	if !ok {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *Reader) byte() byte {
	if r.rest == "" {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// text returns a part of the batch.
func (r *Reader) text() string {
	n := r.count()
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func (r *Reader) fail() { r.rest, r.bad = "", true }
