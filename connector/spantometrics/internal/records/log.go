// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Changes, as fields of an entry.
const (
	changeTime protowire.Number = iota + 1
	changeApplication
	changeMetric
	changeSeries
	changeOf
	changeCount
	changeObserve
	changeExemplar
	changeSet
	changeValue
	changeSeenSpan
	changeSeenEvent
	changeActiveTask
	changeActiveStep
	changeStarted
	changeForgetTask
	changeForgetStep
	changeCollect
	changeAccept
	changeRestore
	changeAccepted
	changeIdentity
)

const (
	timeWall protowire.Number = iota + 1
	timeRunning
)

const (
	applicationNamespace protowire.Number = iota + 1
	applicationService
	applicationOverflow
)

const (
	metricName protowire.Number = iota + 1
	metricShape
)

const (
	seriesID protowire.Number = iota + 1
	seriesStarted
	seriesKey
	seriesName
	seriesOverflow
)

const (
	exemplarValue protowire.Number = iota + 1
	exemplarAt
	exemplarTrace
	exemplarSpan
)

const (
	setValue protowire.Number = iota + 1
	setAt
)

const (
	valueTouched protowire.Number = iota + 1
	valuePending
	valueReported
	valueCount
	valueHigh
	valueLow
	valueLevel
	valueMin
	valueMax
	valueBuckets
	valueExponential
	valueExemplar
)

const (
	exponentialScale protowire.Number = iota + 1
	exponentialOffset
	exponentialZeroCount
	exponentialCounts
)

const (
	activeTrace protowire.Number = iota + 1
	activeStep
	activeHeard
	activeState
	activeComplete
	activeGauge
	_
	activeTimes // and the numbers behind it
)

const activeAge protowire.Number = 15

const (
	identityInstance protowire.Number = iota + 1
	identityDelta
)

// entrySize is the size from which [Log.Cut] begins a further entry.
const entrySize = 128 << 10

// Log writes changes into entries. A nil Log writes nothing: state that is not kept. It has no lock of its own: the
// registry's lock guards it, since the order of changes matters.
type Log struct {
	append func(entry []byte)
	entry  []byte
	now    Instant
	// begun is true if the entry has its first change. namespace … series are what the entry said last.
	begun              bool
	application        bool
	namespace, service string
	overflow           bool
	metric             string
	shape              uint64
	named              bool // the series
	series             uint64
	written            int64
	message, inner     []byte // room for those that are being written
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

// Written returns how many bytes were handed over.
func (l *Log) Written() int64 {
	if l == nil {
		return 0
	}
	return l.written
}

// begin makes sure that the entry begins with the time of its changes.
func (l *Log) begin() {
	if l.begun {
		return
	}
	l.begun, l.application, l.metric, l.shape, l.named = true, false, "", 0, false
	l.message = fields.Int(l.message[:0], timeWall, l.now.Wall)
	l.message = fields.Int(l.message, timeRunning, l.now.Running)
	l.entry = fields.Message(l.entry[:0], changeTime, l.message)
}

// of makes sure that what follows belongs to the series.
func (l *Log) of(series uint64) {
	l.begin()
	if !l.named || l.series != series {
		l.entry = fields.Number(l.entry, changeOf, series)
		l.named, l.series = true, series
	}
}

// Series writes that a series came to be.
func (l *Log) Series(s *Series) {
	if l == nil {
		return
	}
	l.begin()
	if !l.application || l.namespace != s.Namespace || l.service != s.Service || l.overflow != s.OverflowApplication {
		m := fields.Text(l.message[:0], applicationNamespace, s.Namespace)
		m = fields.Text(m, applicationService, s.Service)
		m = fields.Bool(m, applicationOverflow, s.OverflowApplication)
		l.add(changeApplication, m)
		l.application, l.namespace, l.service, l.overflow = true, s.Namespace, s.Service, s.OverflowApplication
	}
	if l.metric != s.Metric || l.shape != s.Shape {
		m := fields.Text(l.message[:0], metricName, s.Metric)
		m = fields.Fixed(m, metricShape, s.Shape)
		l.add(changeMetric, m)
		l.metric, l.shape = s.Metric, s.Shape
	}
	m := fields.Uint(l.message[:0], seriesID, s.ID)
	m = fields.Int(m, seriesStarted, s.Started)
	m = fields.Text(m, seriesKey, s.Key)
	for _, name := range s.Names {
		m = fields.Element(m, seriesName, name)
	}
	m = fields.Bool(m, seriesOverflow, s.Overflow)
	l.add(changeSeries, m)
	l.named, l.series = true, s.ID
}

// add writes a change that is a message, whose room is used again.
func (l *Log) add(change protowire.Number, message []byte) {
	l.entry = fields.Message(l.entry, change, message)
	l.message = message
}

// Count writes that a sum grew.
func (l *Log) Count(series, by uint64) {
	if l == nil {
		return
	}
	l.of(series)
	l.entry = fields.Number(l.entry, changeCount, by)
}

// Set writes that a series has a newer value.
func (l *Log) Set(series uint64, value, at int64) {
	if l == nil {
		return
	}
	l.of(series)
	m := fields.Int(l.message[:0], setValue, value)
	l.add(changeSet, fields.Int(m, setAt, at))
}

// Started writes when a series began, if that is not what [Log.Series] wrote of it.
func (l *Log) Started(series uint64, at int64) {
	if l == nil {
		return
	}
	l.of(series)
	l.entry = fields.Signed(l.entry, changeStarted, at)
}

// Observe writes that a histogram took a value.
func (l *Log) Observe(series uint64, value int64) {
	if l == nil {
		return
	}
	l.of(series)
	l.entry = fields.Signed(l.entry, changeObserve, value)
}

// Exemplar writes that a series kept an exemplar.
func (l *Log) Exemplar(series uint64, exemplar *Exemplar) {
	if l == nil {
		return
	}
	l.of(series)
	l.add(changeExemplar, exemplar.appendTo(l.message[:0]))
}

func (e *Exemplar) appendTo(m []byte) []byte {
	m = fields.Int(m, exemplarValue, e.Value)
	m = fields.Int(m, exemplarAt, e.At)
	m = fields.Message(m, exemplarTrace, e.Trace[:])
	return fields.Message(m, exemplarSpan, e.Span[:])
}

// Value writes all that a series has added up.
func (l *Log) Value(series uint64, v *Value) {
	if l == nil {
		return
	}
	l.of(series)
	m := fields.Int(l.message[:0], valueTouched, v.Touched)
	m = fields.Bool(m, valuePending, v.Pending)
	m = fields.Bool(m, valueReported, v.Reported)
	m = fields.Uint(m, valueCount, v.Count)
	m = fields.Uint(m, valueHigh, v.High)
	m = fields.Uint(m, valueLow, v.Low)
	m = fields.Int(m, valueLevel, v.Level)
	m = fields.Int(m, valueMin, v.Min)
	m = fields.Int(m, valueMax, v.Max)
	if v.Buckets != nil {
		m = fields.Numbers(m, valueBuckets, v.Buckets)
	}
	if x := v.Exponential; x != nil {
		l.inner = fields.Int(l.inner[:0], exponentialScale, int64(x.Scale))
		l.inner = fields.Int(l.inner, exponentialOffset, int64(x.Offset))
		l.inner = fields.Uint(l.inner, exponentialZeroCount, x.ZeroCount)
		l.inner = fields.Numbers(l.inner, exponentialCounts, x.Counts)
		m = fields.Message(m, valueExponential, l.inner)
	}
	for i := range v.Exemplars {
		l.inner = v.Exemplars[i].appendTo(l.inner[:0])
		m = fields.Message(m, valueExemplar, l.inner)
	}
	l.add(changeValue, m)
}

// Collect writes that a flush took out what there was.
func (l *Log) Collect(at int64) { l.signed(changeCollect, at) }

// Accepted writes until when deltas have been delivered.
func (l *Log) Accepted(at int64) { l.signed(changeAccepted, at) }

// Accept writes that the flush was delivered.
func (l *Log) Accept() { l.signed(changeAccept, 1) }

// Restore writes that the flush was refused, and what it took out is back.
func (l *Log) Restore() { l.signed(changeRestore, 1) }

func (l *Log) signed(change protowire.Number, value int64) {
	if l == nil {
		return
	}
	l.begin()
	l.entry = fields.Signed(l.entry, change, value)
}

// ActiveTask writes what has become of a task.
func (l *Log) ActiveTask(a *ActiveTask) {
	if l == nil {
		return
	}
	l.begin()
	m := fields.Message(l.message[:0], activeTrace, a.Trace[:])
	m = fields.Uint(m, activeState, uint64(a.State))
	m = fields.Uint(m, activeAge, a.Age)
	l.add(changeActiveTask, l.active(m, &a.Times, a.Heard, a.Complete, a.Gauge))
}

// ActiveStep writes what has become of a step.
func (l *Log) ActiveStep(a *ActiveStep) {
	if l == nil {
		return
	}
	l.begin()
	m := stepOf(l.message[:0], &a.Trace, a.Step)
	l.add(changeActiveStep, l.active(m, &a.Times, a.Heard, a.Complete, a.Gauge))
}

// active appends what tasks and steps have in common. Most of the times are close to the entry's.
func (l *Log) active(m []byte, times *ActiveTimes, heard int64, complete bool, gauge uint64) []byte {
	m = fields.Int(m, activeHeard, heard)
	m = fields.Bool(m, activeComplete, complete)
	m = fields.Uint(m, activeGauge, gauge)
	for i, at := range times {
		if at != 0 {
			m = fields.Signed(m, activeTimes+protowire.Number(i), at-l.now.Wall)
		}
	}
	return m
}

func stepOf(m []byte, trace *[16]byte, step uint64) []byte {
	m = fields.Message(m, activeTrace, trace[:])
	return fields.Fixed(m, activeStep, step)
}

// ForgetTask writes that a task was dropped, and its steps with it.
func (l *Log) ForgetTask(trace [16]byte) {
	if l == nil {
		return
	}
	l.begin()
	l.entry = fields.Message(l.entry, changeForgetTask, trace[:])
}

// ForgetStep writes that a step was dropped.
func (l *Log) ForgetStep(trace [16]byte, step uint64) {
	if l == nil {
		return
	}
	l.begin()
	l.add(changeForgetStep, stepOf(l.message[:0], &trace, step))
}

// Seen writes that a span or an event was measured.
func (l *Log) Seen(things Things, key uint64) {
	if l == nil {
		return
	}
	l.begin()
	change := changeSeenSpan
	if things == Events {
		change = changeSeenEvent
	}
	l.entry = fields.Fixed(l.entry, change, key)
}

// Identity writes whose state it is.
func (l *Log) Identity(identity *Identity) {
	if l == nil {
		return
	}
	l.begin()
	m := fields.Text(l.message[:0], identityInstance, identity.Instance)
	l.add(changeIdentity, fields.Bool(m, identityDelta, identity.Delta))
}
