// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/emitted"
)

// TraceID has the bytes of its pdata namesake.
type TraceID = [16]byte

// SpanID has the bytes of its pdata namesake.
type SpanID = [8]byte

// Resource is the application that a task belongs to. It is shared by all its tasks and never changed.
type Resource struct {
	Attributes []Attribute
}

// ID is an identifier as the engine sends it: an integer from the Ruby engine, a UUID from tasker-core.
type ID struct {
	Text    string
	Integer bool
}

// Event is one lifecycle event, read from its wire form. The assembler copies what it keeps, so the event and its
// strings may be reused when Observe returns.
type Event struct {
	TraceID  TraceID
	Identity uint64 // the same for an item and its resends
	Name     string
	At       int64 // when it happened, Unix nanoseconds
	Resource *Resource

	TaskID        ID
	TaskName      string
	StepID        ID
	StepName      string
	CorrelationID string
	Traceparent   string

	Attempt       int // attempt_number of a step's event: the attempts finished before; -1 when absent
	StepCount     int
	TotalSteps    int
	StepIDs       []string // of a discovery
	Dependencies  []string // names of the steps that this one depends on
	HasJob        bool     // an enqueue event by the job itself, not by its creator
	JobRun        int      // attempt of such an enqueue event: 2 on the job's first run
	QueueName     string
	FinalStatus   string
	Mode          string // processing mode of a batch
	ErrorClass    string
	Exception     string // exception_class: nearly always "StandardError" (trap 5)
	ErrorMessage  string
	Backtrace     string
	BackoffType   string
	BackoffFor    float64 // seconds
	QueryDuration float64 // seconds
	SQL           string
	QueryName     string  // as the application's library reports it
	MemoryDeltaMB float64 // 0 when absent
	Refused       bool    // the task was refused at creation: this is its only event

	// Attributes of the payload, for events that become span events. They are copied.
	Attributes []Attribute
}

// record is an event of an open task. A million open tasks have a hundred million records: they are kept [packed], and rarely used
// fields are kept separately, in [task.details] and [task.lists].
type record struct {
	at            int64
	arrived       int64  // on the collector's clock, rounded up
	identity      uint32 // half of the event's identity, enough to distinguish events of one step and nanosecond
	detail        uint16 // index in task.details
	step          int16  // index in task.steps, or noStep
	number        int16  // attempt, step count, job run, total steps or index in task.lists, depending on the kind; -1 when absent
	correlationID uint16 // index in task.correlationIDs
	kind          kind
	cut           bool // omitted by a limit; known when it has been read
}

const noStep = emitted.NoStep

// key returns the half of the identity that a record keeps.
func (e *Event) key() uint32 { return uint32(e.Identity ^ e.Identity>>32) }

// detail has the fields of an event beyond its kind, time, step and number.
type detail struct {
	text    string  // see spanEventName and the methods after it: an event has one of these texts, and there are many details
	seconds float64 // duration of a query, length of a backoff
	failure *failure
	attrs   []Attribute
	bytes   int32 // its approximate size
}

func (d *detail) spanEventName() string { return d.text }
func (d *detail) queue() string         { return d.text } // of a job
func (d *detail) backoffType() string   { return d.text }
func (d *detail) statement() string     { return d.text } // of a query
func (d *detail) batchMode() string     { return d.text }
func (d *detail) finalStatus() string   { return d.text } // of a pass

// weigh sets the approximate size of the detail.
func (d *detail) weigh() {
	n := bytesPerDetail + len(d.text)
	if d.failure != nil {
		n += bytesPerFailure + len(d.failure.message) + len(d.failure.trace)
	}
	for i := range d.attrs {
		v := &d.attrs[i].Value
		n += bytesPerAttribute + len(v.Text)
		for _, s := range v.Strings {
			n += bytesPerString + len(s)
		}
	}
	d.bytes = int32(min(n, math.MaxInt32))
}

// size returns about how many bytes the detail takes.
func (d *detail) size() int64 { return int64(d.bytes) }

// failure is the error of a failed attempt or task.
type failure struct {
	message string
	class   string
	trace   string // backtrace
	generic bool   // class came from exception_class, which is hardly ever the true one
}

// ShowsAttributes reports whether the event becomes a span event with its attributes. It reads the name only.
func (e *Event) ShowsAttributes() bool {
	switch classify(e) {
	case kindSpanEvent, kindStepReset, kindTaskPending, kindNothingViable, kindTaskCancelled, kindTaskResolved,
		kindStepCancelled, kindStepResolved:
		return true
	}
	return false
}
