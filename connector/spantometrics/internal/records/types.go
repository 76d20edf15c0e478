// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

// Instant is a moment by two clocks.
type Instant struct {
	// Wall is in Unix nanoseconds. It can be set, forward and back, and is only for what others read.
	Wall int64
	// Running is for how long, in nanoseconds, processes with this state have been running. It goes by the monotonic clock,
	// and stands still while there is no process, so that ages and deadlines go by it.
	Running int64
}

// Label is one label of a series.
type Label struct{ Name, Value string }

// Exemplar is one measured value and where it was measured. A span id of zeros means the trace as a whole.
type Exemplar struct {
	Value int64
	// At is when the value was measured, in Unix nanoseconds of the event's clock.
	At    int64
	Trace [16]byte
	Span  [8]byte
	// Kept is when it was kept, by the time that the state has been running. It is not written down.
	Kept int64
}

// Series is a series that came to be. Other changes name it by its id, which is never used again.
type Series struct {
	ID      uint64
	Started int64

	Namespace, Service string
	// OverflowApplication stands for the applications beyond the limit.
	OverflowApplication bool

	Metric string
	// Shape is a hash of how the metric's values are added up: values of another shape cannot be taken over.
	Shape uint64

	// Key identifies the series of a metric: it is the labels' values. Names are those of the labels that have a value.
	Key   string
	Names []string
	// Overflow takes the values of the series beyond the limit; it has no labels.
	Overflow bool
}

// Value is all that a series has added up, in a snapshot.
type Value struct {
	// Touched is when it last got a value, by the time that the state has been running.
	Touched           int64
	Pending, Reported bool
	Count             uint64
	High, Low         uint64
	Level             int64
	Min, Max          int64
	Buckets           []uint64
	Exponential       *Exponential
	Exemplars         []Exemplar
}

// Exponential is the buckets of an exponential histogram.
type Exponential struct {
	Scale, Offset int32
	ZeroCount     uint64
	Counts        []uint64
}

// ActiveTimes are the times of a task's or step's events, by kind; 0 if there was none.
type ActiveTimes = [5]int64

// ActiveTask is what is known of a task.
type ActiveTask struct {
	Trace [16]byte
	Times ActiveTimes
	// Heard is when it was last heard of, by the time that the state has been running.
	Heard    int64
	State    uint8
	Complete bool
	// Gauge is the id of the series on which an open task counts, and Age that of the series to whose age it belongs; 0 if
	// there is none.
	Gauge, Age uint64
}

// ActiveStep is what is known of a step. Its task was written before.
type ActiveStep struct {
	Trace    [16]byte
	Step     uint64
	Times    ActiveTimes
	Heard    int64
	Complete bool
	Gauge    uint64
}

// Things is a kind of measured things, each with a set of its own.
type Things uint8

// The sets of measured things.
const (
	Spans Things = iota
	Events
)

// Identity is whose state it is.
type Identity struct {
	// Instance is the service.instance.id under which the metrics were reported.
	Instance string
	// Delta is the temporality of the values.
	Delta bool
}
