// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

// Record is an event of an open task. A million open tasks have a hundred million records: they are kept packed, and rarely used
// fields are kept separately, in lists of the [Set].
type Record struct {
	At            int64
	Arrived       int64  // on the collector's clock, rounded up
	Identity      uint32 // half of the event's identity, enough to distinguish events of one step and nanosecond
	Detail        uint16 // index in the details of its task
	Step          int16  // index in the steps of its task, or NoStep
	Number        int16  // attempt, step count, job run, total steps or of a discovery, depending on the kind; -1 when absent
	CorrelationID uint16 // index in the correlation ids of its task
	Kind          Kind
	Cut           bool // omitted by a limit; known when it has been read
}

// NoStep is the step of a record that concerns none.
const NoStep int16 = -1

// Same reports whether two records of one time are the same item sent twice.
func (r *Record) Same(other *Record) bool {
	return r.Kind == other.Kind && r.Step == other.Step && r.Identity == other.Identity
}

// Key identifies a record within a task.
type Key struct {
	Kind     Kind
	Identity uint32
}

// Is reports whether it is the record's key.
func (key Key) Is(r Record) bool { return r.Kind == key.Kind && r.Identity == key.Identity }
