// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

// record is an event of an open task. A million open tasks have a hundred million records: they are kept [packed], and rarely used
// fields are kept separately, in lists of its task.
type record struct {
	at            int64
	arrived       int64  // on the collector's clock, rounded up
	identity      uint32 // half of the event's identity, enough to distinguish events of one step and nanosecond
	detail        uint16 // index in the details of its task
	step          int16  // index in the steps of its task, or noStep
	number        int16  // attempt, step count, job run, total steps or of a discovery, depending on the kind; -1 when absent
	correlationID uint16 // index in the correlation ids of its task
	kind          kind
	cut           bool // omitted by a limit; known when it has been read
}

// noStep is the step of a record that concerns none.
const noStep int16 = -1
