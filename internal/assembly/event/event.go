// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"

// TraceID has the bytes of its pdata namesake.
type TraceID = [16]byte

// SpanID has the bytes of its pdata namesake.
type SpanID = [8]byte

// Resource is the application that a task belongs to. It is shared by all its tasks and never changed.
type Resource struct {
	Attributes []attribute.KeyValue
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
	Attributes []attribute.KeyValue
}

// Key returns the key of the event's record.
func (e *Event) Key() Key { return Key{e.Kind(), e.shortIdentity()} }

// shortIdentity returns the half of the identity that a record keeps.
func (e *Event) shortIdentity() uint32 { return uint32(e.Identity ^ e.Identity>>32) }

// ShowsAttributes reports whether the event becomes a span event with its attributes. It reads the name only.
func (e *Event) ShowsAttributes() bool {
	switch e.Kind() {
	case SpanEvent, StepReset, TaskPending, NothingViable, TaskCancelled, TaskResolved,
		StepCancelled, StepResolved:
		return true
	}
	return false
}
