// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
)

var errMalformed = errors.New("a batch of events is malformed")

// Reader reads the events of batches. Its memory is reused for the next event.
type Reader struct {
	event assembly.Event
	rest  []byte
	bad   bool
}

// Each visits the events of a batch with the trace id of each and its offset for [Reader.Event].
func Each(batch []byte, visit func(trace assembly.TraceID, at int)) error {
	if len(batch) == 0 {
		return errMalformed
	}
	if batch[0] != version {
		return fmt.Errorf("a batch of events has version %d; this collector reads version %d", batch[0], version)
	}
	for at := 1; at < len(batch); {
		if len(batch)-at < headBytes {
			return errMalformed
		}
		length := int(binary.LittleEndian.Uint32(batch[at:]))
		if length < headBytes-lengthBytes || length > len(batch)-at-lengthBytes {
			return errMalformed
		}
		visit(assembly.TraceID(batch[at+lengthBytes:at+lengthBytes+16]), at)
		at += lengthBytes + length
	}
	return nil
}

// Event reads the event at an offset from Each. It is valid until the next call. Its strings are part of the batch, which must not
// change while they are used.
func (r *Reader) Event(batch []byte, at int, resource *assembly.Resource) (*assembly.Event, error) {
	head := batch[at : at+headBytes]
	end := at + lengthBytes + int(binary.LittleEndian.Uint32(head))
	r.rest, r.bad = batch[at+headBytes:end], false
	has := binary.LittleEndian.Uint32(head[lengthBytes+32:])
	e := &r.event
	*e = assembly.Event{
		TraceID:  assembly.TraceID(head[lengthBytes : lengthBytes+16]),
		Identity: binary.LittleEndian.Uint64(head[lengthBytes+16:]),
		At:       int64(binary.LittleEndian.Uint64(head[lengthBytes+24:])),
		Resource: resource, Name: r.text(), Attempt: -1, JobRun: -1,
		StepIDs: e.StepIDs[:0], Dependencies: e.Dependencies[:0], Attributes: e.Attributes[:0],
	}
	r.texts(e, has)
	r.numbers(e, has)
	if has&hasStepIDs != 0 {
		e.StepIDs = r.list(e.StepIDs)
	}
	if has&hasDependencies != 0 {
		e.Dependencies = r.list(e.Dependencies)
	}
	if has&hasAttributes != 0 {
		if err := r.attributes(e); err != nil {
			return nil, err
		}
	}
	e.TaskID.Integer, e.StepID.Integer = has&isTaskInteger != 0, has&isStepInteger != 0
	e.HasJob, e.Refused = has&hasJob != 0, has&isRefused != 0
	if r.bad || len(r.rest) > 0 || has >= unknown {
		return nil, errMalformed
	}
	return e, nil
}

func (r *Reader) texts(e *assembly.Event, has uint32) {
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

func (r *Reader) numbers(e *assembly.Event, has uint32) {
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

func (r *Reader) attributes(e *assembly.Event) error {
	for range r.count() {
		attribute, err := assembly.ReadAttribute(r.bytes())
		if err != nil {
			return err
		}
		e.Attributes = append(e.Attributes, attribute)
	}
	return nil
}

func (r *Reader) list(into []string) []string {
	for range r.count() {
		into = append(into, r.text())
	}
	return into
}

// count returns the length of a list. Each element takes a byte at least.
func (r *Reader) count() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *Reader) number() int {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *Reader) double() float64 {
	if len(r.rest) < 8 {
		r.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.rest))
	r.rest = r.rest[8:]
	return f
}

// text returns a part of the batch.
func (r *Reader) text() string {
	text := r.bytes()
	return unsafe.String(unsafe.SliceData(text), len(text))
}

func (r *Reader) bytes() []byte {
	n := r.count()
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *Reader) fail() { r.rest, r.bad = nil, true }
