package oplog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Handler makes the changes that an entry tells. What it is given is its own to keep.
type Handler interface {
	// Time is when the changes that follow were made.
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

var errCut = errors.New("the entry is cut")

// Read makes the changes of an entry, from its first to its last or to the first that cannot be read.
func Read(entry []byte, handler Handler) error {
	if len(entry) == 0 {
		return errCut
	}
	if entry[0] != version {
		return fmt.Errorf("the entry has version %d; this collector reads version %d", entry[0], version)
	}
	r := reader{rest: entry[1:]}
	for len(r.rest) > 0 {
		if err := r.change(handler); err != nil {
			return err
		}
	}
	return nil
}

// reader takes fields off the front of an entry. After the first failure it returns zeros.
type reader struct {
	rest []byte
	err  error
	// series holds the application and metric of the series that follow.
	series Series
	// now is the time of the changes that follow.
	now Instant
}

func (r *reader) change(handler Handler) error {
	kind := op(r.byte())
	switch kind {
	case opTime:
		r.now = Instant{Wall: r.varint(), Running: r.varint()}
		return r.then(func() { handler.Time(r.now) })
	case opApplication:
		r.series.OverflowApplication = r.byte()&flagOverflow != 0
		r.series.Namespace, r.series.Service = r.text(), r.text()
	case opMetric:
		r.series.Metric, r.series.Shape = r.text(), r.fixed()
	case opSeries:
		s := r.newSeries()
		return r.then(func() { handler.Series(s) })
	case opCount:
		series, by := r.uvarint(), r.uvarint()
		return r.then(func() { handler.Count(series, by) })
	case opSet:
		series, value, at := r.uvarint(), r.varint(), r.varint()
		return r.then(func() { handler.Set(series, value, at) })
	case opStarted:
		series, at := r.uvarint(), r.varint()
		return r.then(func() { handler.Started(series, at) })
	case opObserve:
		series, value := r.uvarint(), r.varint()
		return r.then(func() { handler.Observe(series, value) })
	case opExemplar:
		series, exemplar := r.uvarint(), r.exemplar()
		return r.then(func() { handler.Exemplar(series, exemplar) })
	case opValue:
		series, value := r.uvarint(), r.value()
		return r.then(func() { handler.Value(series, value) })
	case opCollect:
		at := r.varint()
		return r.then(func() { handler.Collect(at) })
	case opAccept:
		return r.then(handler.Accept)
	case opRestore:
		return r.then(handler.Restore)
	case opAccepted:
		at := r.varint()
		return r.then(func() { handler.Accepted(at) })
	case opActiveTask:
		task := r.activeTask()
		return r.then(func() { handler.ActiveTask(task) })
	case opActiveStep:
		step := r.activeStep()
		return r.then(func() { handler.ActiveStep(step) })
	case opForgetTask:
		trace := r.trace()
		return r.then(func() { handler.ForgetTask(trace) })
	case opForgetStep:
		trace, step := r.trace(), r.fixed()
		return r.then(func() { handler.ForgetStep(trace, step) })
	case opSeen:
		things, key := Things(r.byte()), r.fixed()
		return r.then(func() { handler.Seen(things, key) })
	case opIdentity:
		delta, instance := r.byte()&flagDelta != 0, r.text()
		return r.then(func() { handler.Identity(Identity{Instance: instance, Delta: delta}) })
	default:
		return fmt.Errorf("the entry has an unknown change %d", kind)
	}
	return r.err
}

// then makes the change if it could be read.
func (r *reader) then(change func()) error {
	if r.err == nil {
		change()
	}
	return r.err
}

func (r *reader) newSeries() Series {
	s := r.series
	s.ID = r.uvarint()
	s.Overflow = r.byte()&flagOverflow != 0
	s.Started = r.varint()
	s.Key = r.text()
	s.Names = make([]string, 0, r.length(1))
	for range cap(s.Names) {
		s.Names = append(s.Names, r.text())
	}
	return s
}

func (r *reader) value() Value {
	flags := r.byte()
	v := Value{Pending: flags&flagPending != 0, Reported: flags&flagReported != 0}
	v.Touched = r.varint()
	v.Count = r.uvarint()
	v.High, v.Low = r.uvarint(), r.uvarint()
	v.Level = r.varint()
	v.Min, v.Max = r.varint(), r.varint()
	if flags&flagBuckets != 0 {
		v.Buckets = r.counts()
	}
	if flags&flagExponential != 0 {
		v.Exponential = &Exponential{Scale: r.small(), Offset: r.small(), ZeroCount: r.uvarint(), Counts: r.counts()}
	}
	count := r.length(len(Exemplar{}.Trace))
	for range count {
		v.Exemplars = append(v.Exemplars, r.exemplar())
	}
	return v
}

func (r *reader) counts() []uint64 {
	counts := make([]uint64, r.length(1))
	for i := range counts {
		counts[i] = r.uvarint()
	}
	return counts
}

func (r *reader) exemplar() (exemplar Exemplar) {
	exemplar.Value, exemplar.At = r.varint(), r.varint()
	copy(exemplar.Trace[:], r.take(len(exemplar.Trace)))
	copy(exemplar.Span[:], r.take(len(exemplar.Span)))
	return exemplar
}

func (r *reader) activeTask() ActiveTask {
	a := ActiveTask{Trace: r.trace(), Complete: r.byte()&flagComplete != 0, State: r.byte(), Times: r.times()}
	a.Heard, a.Gauge = r.varint(), r.uvarint()
	return a
}

func (r *reader) activeStep() ActiveStep {
	a := ActiveStep{Trace: r.trace(), Step: r.fixed(), Complete: r.byte()&flagComplete != 0, Times: r.times()}
	a.Heard, a.Gauge = r.varint(), r.uvarint()
	return a
}

func (r *reader) times() (times ActiveTimes) {
	present := r.byte()
	for i := range times {
		if present&(1<<i) != 0 {
			times[i] = r.now.Wall + r.varint()
		}
	}
	return times
}

func (r *reader) trace() (trace [16]byte) {
	copy(trace[:], r.take(len(trace)))
	return trace
}

func (r *reader) take(size int) []byte {
	if r.err != nil || size > len(r.rest) {
		r.fail(errCut)
		return nil
	}
	taken := r.rest[:size]
	r.rest = r.rest[size:]
	return taken
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) byte() byte {
	if taken := r.take(1); taken != nil {
		return taken[0]
	}
	return 0
}

func (r *reader) fixed() uint64 {
	if taken := r.take(8); taken != nil {
		return binary.LittleEndian.Uint64(taken)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	value, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail(errCut)
		return 0
	}
	r.rest = r.rest[size:]
	return value
}

func (r *reader) varint() int64 {
	value, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail(errCut)
		return 0
	}
	r.rest = r.rest[size:]
	return value
}

func (r *reader) small() int32 {
	value := r.varint()
	if value < math.MinInt32 || value > math.MaxInt32 {
		r.fail(fmt.Errorf("the entry has a number %d beyond 32 bits", value))
		return 0
	}
	return int32(value)
}

// length reads how many items follow, of at least a size each: so an entry cannot ask for more memory than it is long.
func (r *reader) length(size int) int {
	count := r.uvarint()
	if count > uint64(len(r.rest)/size) {
		r.fail(errCut)
		return 0
	}
	return int(count)
}

func (r *reader) text() string {
	return string(r.take(r.length(1)))
}
