package oplog

import (
	"encoding/binary"
)

// version of the form.
const version = 2

type op byte

const (
	opTime op = iota + 1
	opApplication
	opMetric
	opSeries
	opCount
	opObserve
	opExemplar
	opValue
	opCollect
	opAccept
	opRestore
	opAccepted
	opActiveTask
	opForgetTask
	opSeen
	opIdentity
	opSet
	opStarted
	opActiveStep
	opForgetStep
)

// Flags of changes.
const (
	flagOverflow = 1 << iota
	flagPending
	flagReported
	flagComplete
	flagDelta
	flagBuckets
	flagExponential
)

// entrySize is the size from which [Log.Cut] begins a further entry.
const entrySize = 128 << 10

// Log writes changes into entries. A nil Log writes nothing: state that is not kept. It has no lock of its own: the
// registry's lock guards it, since the order of changes matters.
type Log struct {
	append func(entry []byte)
	entry  []byte
	now    Instant
	// begun tells that the entry has its first change. namespace … shape are what the entry said last.
	begun              bool
	application        bool
	namespace, service string
	overflow           bool
	metric             string
	shape              uint64
	written            int64
}

// New makes a log that passes complete entries to write. They are valid until write returns.
func New(write func(entry []byte)) *Log { return &Log{append: write} }

// Begin begins an entry of changes at a time.
func (l *Log) Begin(now Instant) {
	if l == nil {
		return
	}
	l.now, l.begun = now, false
	l.entry = l.entry[:0]
}

// End hands the entry over, if there was a change.
func (l *Log) End() {
	if l == nil || !l.begun {
		return
	}
	l.append(l.entry)
	l.written += int64(len(l.entry))
	l.begun = false
}

// Cut ends the entry and begins another one if it has become long. The changes before and after are then no longer made
// together, which suits only snapshots.
func (l *Log) Cut() {
	if len(l.entry) >= entrySize {
		l.End()
		l.Begin(l.now)
	}
}

// Written is how many bytes were handed over.
func (l *Log) Written() int64 {
	if l == nil {
		return 0
	}
	return l.written
}

func (l *Log) op(kind op) {
	if !l.begun {
		l.begun, l.application, l.metric, l.shape = true, false, "", 0
		l.entry = append(l.entry[:0], version, byte(opTime))
		l.varint(l.now.Wall)
		l.varint(l.now.Running)
	}
	l.entry = append(l.entry, byte(kind))
}

func (l *Log) uvarint(value uint64) { l.entry = binary.AppendUvarint(l.entry, value) }
func (l *Log) varint(value int64)   { l.entry = binary.AppendVarint(l.entry, value) }

func (l *Log) text(value string) {
	l.uvarint(uint64(len(value)))
	l.entry = append(l.entry, value...)
}

func (l *Log) flag(set bool, flag byte) byte {
	if set {
		return flag
	}
	return 0
}

// Series writes that a series came to be.
func (l *Log) Series(s *Series) {
	if l == nil {
		return
	}
	if !l.begun || !l.application || l.namespace != s.Namespace || l.service != s.Service || l.overflow != s.OverflowApplication {
		l.op(opApplication)
		l.entry = append(l.entry, l.flag(s.OverflowApplication, flagOverflow))
		l.text(s.Namespace)
		l.text(s.Service)
		l.application, l.namespace, l.service, l.overflow = true, s.Namespace, s.Service, s.OverflowApplication
	}
	if l.metric != s.Metric || l.shape != s.Shape {
		l.op(opMetric)
		l.text(s.Metric)
		l.entry = binary.LittleEndian.AppendUint64(l.entry, s.Shape)
		l.metric, l.shape = s.Metric, s.Shape
	}
	l.op(opSeries)
	l.uvarint(s.ID)
	l.entry = append(l.entry, l.flag(s.Overflow, flagOverflow))
	l.varint(s.Started)
	l.text(s.Key)
	l.uvarint(uint64(len(s.Names)))
	for _, name := range s.Names {
		l.text(name)
	}
}

// Count writes that a sum grew.
func (l *Log) Count(series, by uint64) {
	if l == nil {
		return
	}
	l.op(opCount)
	l.uvarint(series)
	l.uvarint(by)
}

// Set writes that a series has a newer value.
func (l *Log) Set(series uint64, value, at int64) {
	if l == nil {
		return
	}
	l.op(opSet)
	l.uvarint(series)
	l.varint(value)
	l.varint(at)
}

// Started writes when a series began, if that is not what [Log.Series] wrote of it.
func (l *Log) Started(series uint64, at int64) {
	if l == nil {
		return
	}
	l.op(opStarted)
	l.uvarint(series)
	l.varint(at)
}

// Observe writes that a histogram took a value.
func (l *Log) Observe(series uint64, value int64) {
	if l == nil {
		return
	}
	l.op(opObserve)
	l.uvarint(series)
	l.varint(value)
}

// Exemplar writes that a series kept an exemplar.
func (l *Log) Exemplar(series uint64, exemplar *Exemplar) {
	if l == nil {
		return
	}
	l.op(opExemplar)
	l.uvarint(series)
	l.exemplar(exemplar)
}

func (l *Log) exemplar(exemplar *Exemplar) {
	l.varint(exemplar.Value)
	l.varint(exemplar.At)
	l.entry = append(l.entry, exemplar.Trace[:]...)
	l.entry = append(l.entry, exemplar.Span[:]...)
}

// Value writes all that a series has added up.
func (l *Log) Value(series uint64, v *Value) {
	if l == nil {
		return
	}
	l.op(opValue)
	l.uvarint(series)
	l.entry = append(l.entry, l.flag(v.Pending, flagPending)|l.flag(v.Reported, flagReported)|
		l.flag(v.Buckets != nil, flagBuckets)|l.flag(v.Exponential != nil, flagExponential))
	l.varint(v.Touched)
	l.uvarint(v.Count)
	l.uvarint(v.High)
	l.uvarint(v.Low)
	l.varint(v.Level)
	l.varint(v.Min)
	l.varint(v.Max)
	if v.Buckets != nil {
		l.counts(v.Buckets)
	}
	if x := v.Exponential; x != nil {
		l.varint(int64(x.Scale))
		l.varint(int64(x.Offset))
		l.uvarint(x.ZeroCount)
		l.counts(x.Counts)
	}
	l.uvarint(uint64(len(v.Exemplars)))
	for i := range v.Exemplars {
		l.exemplar(&v.Exemplars[i])
	}
}

func (l *Log) counts(counts []uint64) {
	l.uvarint(uint64(len(counts)))
	for _, count := range counts {
		l.uvarint(count)
	}
}

// Collect writes that a flush took out what there was.
func (l *Log) Collect(at int64) { l.time(opCollect, at) }

// Accepted writes until when deltas have been delivered.
func (l *Log) Accepted(at int64) { l.time(opAccepted, at) }

func (l *Log) time(kind op, at int64) {
	if l == nil {
		return
	}
	l.op(kind)
	l.varint(at)
}

// Accept writes that the flush was delivered.
func (l *Log) Accept() {
	if l != nil {
		l.op(opAccept)
	}
}

// Restore writes that the flush was refused, and what it took out is back.
func (l *Log) Restore() {
	if l != nil {
		l.op(opRestore)
	}
}

// ActiveTask writes what has become of a task.
func (l *Log) ActiveTask(a *ActiveTask) {
	if l == nil {
		return
	}
	l.op(opActiveTask)
	l.entry = append(l.entry, a.Trace[:]...)
	l.entry = append(l.entry, l.flag(a.Complete, flagComplete), a.State)
	l.times(&a.Times)
	l.varint(a.Heard)
	l.uvarint(a.Gauge)
}

// ActiveStep writes what has become of a step.
func (l *Log) ActiveStep(a *ActiveStep) {
	if l == nil {
		return
	}
	l.op(opActiveStep)
	l.step(a.Trace, a.Step)
	l.entry = append(l.entry, l.flag(a.Complete, flagComplete))
	l.times(&a.Times)
	l.varint(a.Heard)
	l.uvarint(a.Gauge)
}

// times writes which times there are and how far they are from the entry's, as most are close to it.
func (l *Log) times(times *ActiveTimes) {
	present := byte(0)
	for i, at := range times {
		present |= l.flag(at != 0, 1<<i)
	}
	l.entry = append(l.entry, present)
	for _, at := range times {
		if at != 0 {
			l.varint(at - l.now.Wall)
		}
	}
}

// ForgetTask writes that a task was dropped, and its steps with it.
func (l *Log) ForgetTask(trace [16]byte) {
	if l == nil {
		return
	}
	l.op(opForgetTask)
	l.entry = append(l.entry, trace[:]...)
}

// ForgetStep writes that a step was dropped.
func (l *Log) ForgetStep(trace [16]byte, step uint64) {
	if l == nil {
		return
	}
	l.op(opForgetStep)
	l.step(trace, step)
}

func (l *Log) step(trace [16]byte, step uint64) {
	l.entry = append(l.entry, trace[:]...)
	l.entry = binary.LittleEndian.AppendUint64(l.entry, step)
}

// Seen writes that a span or an event was measured.
func (l *Log) Seen(things Things, key uint64) {
	if l == nil {
		return
	}
	l.op(opSeen)
	l.entry = append(l.entry, byte(things))
	l.entry = binary.LittleEndian.AppendUint64(l.entry, key)
}

// Identity writes whose state it is.
func (l *Log) Identity(identity *Identity) {
	if l == nil {
		return
	}
	l.op(opIdentity)
	l.entry = append(l.entry, l.flag(identity.Delta, flagDelta))
	l.text(identity.Instance)
}
