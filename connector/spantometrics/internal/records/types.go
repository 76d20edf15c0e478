// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

// Instant is a moment on two clocks.
type Instant struct {
	// Wall is in Unix nanoseconds. It may be set back and forth, and is only exported.
	Wall int64
	// Running is the total running time, in nanoseconds, of the processes that had this state. It uses the monotonic clock
	// and excludes downtime. Ages and deadlines are based on it.
	Running int64
}

// Label is a label of a series.
type Label struct{ Name, Value string }

// Exemplar is a measured value and its context. A zero span ID refers to the whole trace.
type Exemplar struct {
	Value int64
	// At is the time of the measurement in Unix nanoseconds of the event's clock.
	At    int64
	Trace [16]byte
	Span  [8]byte
	// Kept is the running time at which it was added. It is not stored.
	Kept int64
}

// Series is a new series. Other changes refer to its ID, which is never reused.
type Series struct {
	ID      uint64
	Started int64

	Namespace, Service string
	// OverflowApplication stands for the applications beyond the limit.
	OverflowApplication bool

	Metric string
	// Shape is a hash of the metric's aggregation. Values of another shape cannot be restored.
	Shape uint64

	// Key identifies the series of a metric: its label values. Names are those of the labels with a value.
	Key   string
	Names []string
	// Overflow marks the series without labels that aggregates series beyond the limit.
	Overflow bool
}

// Value is the accumulated value of a series, in a snapshot.
type Value struct {
	// Touched is the running time of the latest value.
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

// Exponential holds the buckets of an exponential histogram.
type Exponential struct {
	Scale, Offset int32
	ZeroCount     uint64
	Counts        []uint64
}

// ActiveTimes are the times of a task's or step's events by kind; 0 if there was none.
type ActiveTimes = [5]int64

// Active is what tasks and steps have in common.
type Active struct {
	// Trace is that of the task.
	Trace [16]byte
	Times ActiveTimes
	// Heard is the running time of the latest event.
	Heard    int64
	Complete bool
	// Gauge is the ID of the series that counts it while it is open; 0 if there is none.
	Gauge uint64
}

// ActiveTask is the state of a task.
type ActiveTask struct {
	Active
	State uint8
	// Age is the ID of the series of its age; 0 if there is none.
	Age uint64
}

// ActiveStep is the state of a step. It follows that of its task.
type ActiveStep struct {
	Active
	Step uint64
}

// Things is a kind of measured items, each with its own set.
type Things uint8

// The kinds of measured items.
const (
	Spans Things = iota
	Events
)

// Identity is the identity under which the state is reported.
type Identity struct {
	// Instance is the service.instance.id of the metrics.
	Instance string
	// Delta is set if the values have delta temporality.
	Delta bool
}

// Handler applies the changes of an entry. It may retain its arguments.
type Handler interface {
	// Time sets the time of the following changes.
	Time(now Instant)
	Series(s Series)
	Count(series, by uint64)
	Set(series uint64, value, at int64)
	Started(series uint64, at int64)
	Observe(series uint64, value int64)
	Exemplar(series uint64, exemplar Exemplar)
	Value(series uint64, value Value)
	Collect(at int64)
	Accept()
	Restore()
	Accepted(at int64)
	ActiveTask(task ActiveTask)
	ActiveStep(step ActiveStep)
	ForgetTask(trace [16]byte)
	ForgetStep(trace [16]byte, step uint64)
	Seen(things Things, key uint64)
	Identity(identity Identity)
}
