// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Changes, the field numbers of an entry.
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
	activeTimes // and the following numbers
)

const activeAge protowire.Number = 15

const (
	identityInstance protowire.Number = iota + 1
	identityDelta
)

// entrySize is the size from which [Log.Cut] begins another entry.
const entrySize = 128 << 10

// Log encodes changes as entries. A nil Log discards them. The registry's mutex guards it, because the order of changes
// matters.
type Log struct {
	append func(entry []byte)
	entry  []byte
	now    Instant
	// begun is true if the entry has a change. namespace … series are the last ones written to the entry.
	begun              bool
	application        bool
	namespace, service string
	overflow           bool
	metric             string
	shape              uint64
	named              bool // the series
	series             uint64
	written            int64
	message, inner     []byte // scratch buffers
}

// New makes a log that passes complete entries to write, which must not retain them.
func New(write func(entry []byte)) *Log { return &Log{append: write} }

// Begin begins an entry of changes made at now.
func (l *Log) Begin(now Instant) {
	if l == nil {
		return
	}
	l.now, l.begun = now, false
	l.entry = l.entry[:0]
}

// End passes the entry to write if it has changes.
func (l *Log) End() {
	if l == nil || !l.begun {
		return
	}
	l.append(l.entry)
	l.written += int64(len(l.entry))
	l.begun = false
}

// Cut ends the entry and begins another one if it is long. Its changes are then no longer atomic, so it is for snapshots
// only.
func (l *Log) Cut() {
	if len(l.entry) >= entrySize {
		l.End()
		l.Begin(l.now)
	}
}

// Written returns the number of bytes written.
func (l *Log) Written() int64 {
	if l == nil {
		return 0
	}
	return l.written
}

// begin reports whether there is a log, after beginning its entry, if that has no change yet.
func (l *Log) begin() bool {
	if l != nil && !l.begun {
		l.writeTime()
	}
	return l != nil
}

// writeTime writes the time of the changes at the beginning of the entry.
func (l *Log) writeTime() {
	l.begun, l.application, l.metric, l.shape, l.named = true, false, "", 0, false
	l.message = fields.Int(l.message[:0], timeWall, l.now.Wall)
	l.message = fields.Int(l.message, timeRunning, l.now.Running)
	l.entry = fields.Message(l.entry[:0], changeTime, l.message)
}

// of begins like begin, and selects the series as the subject of the following changes.
func (l *Log) of(series uint64) bool { return l != nil && l.selected(series) }

func (l *Log) selected(series uint64) bool {
	l.begin()
	if !l.named || l.series != series {
		l.entry = fields.Number(l.entry, changeOf, series)
		l.named, l.series = true, series
	}
	return true
}

// Series writes a new series.
func (l *Log) Series(s *Series) {
	if !l.begin() {
		return
	}
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

// add writes a change that is a message. The message's buffer is reused.
func (l *Log) add(change protowire.Number, message []byte) {
	l.entry = fields.Message(l.entry, change, message)
	l.message = message
}

// Count writes an increment of a sum.
func (l *Log) Count(series, by uint64) {
	if l.of(series) {
		l.entry = fields.Number(l.entry, changeCount, by)
	}
}

// Set writes a newer value of a series.
func (l *Log) Set(series uint64, value, at int64) {
	if l.of(series) {
		m := fields.Int(l.message[:0], setValue, value)
		l.add(changeSet, fields.Int(m, setAt, at))
	}
}

// Started writes the start of a series if it differs from the one in [Log.Series].
func (l *Log) Started(series uint64, at int64) {
	if l.of(series) {
		l.entry = fields.Signed(l.entry, changeStarted, at)
	}
}

// Observe writes a value observed by a histogram.
func (l *Log) Observe(series uint64, value int64) {
	if l.of(series) {
		l.entry = fields.Signed(l.entry, changeObserve, value)
	}
}

// Exemplar writes an exemplar added to a series.
func (l *Log) Exemplar(series uint64, exemplar *Exemplar) {
	if l.of(series) {
		l.add(changeExemplar, exemplar.appendTo(l.message[:0]))
	}
}

func (e *Exemplar) appendTo(m []byte) []byte {
	m = fields.Int(m, exemplarValue, e.Value)
	m = fields.Int(m, exemplarAt, e.At)
	m = fields.Message(m, exemplarTrace, e.Trace[:])
	return fields.Message(m, exemplarSpan, e.Span[:])
}

// Value writes the accumulated value of a series.
func (l *Log) Value(series uint64, v *Value) {
	if !l.of(series) {
		return
	}
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

// Collect writes that a flush took the values.
func (l *Log) Collect(at int64) { l.signed(changeCollect, at) }

// Accepted writes the time until which deltas were delivered.
func (l *Log) Accepted(at int64) { l.signed(changeAccepted, at) }

// Accept writes that the flush was delivered.
func (l *Log) Accept() { l.signed(changeAccept, 1) }

// Restore writes that the flush was rejected and its values were restored.
func (l *Log) Restore() { l.signed(changeRestore, 1) }

func (l *Log) signed(change protowire.Number, value int64) {
	if l.begin() {
		l.entry = fields.Signed(l.entry, change, value)
	}
}

// ActiveTask writes the new state of a task.
func (l *Log) ActiveTask(a *ActiveTask) {
	if !l.begin() {
		return
	}
	m := fields.Message(l.message[:0], activeTrace, a.Trace[:])
	m = fields.Uint(m, activeState, uint64(a.State))
	m = fields.Uint(m, activeAge, a.Age)
	l.add(changeActiveTask, l.active(m, &a.Active))
}

// ActiveStep writes the new state of a step.
func (l *Log) ActiveStep(a *ActiveStep) {
	if l.begin() {
		m := stepOf(l.message[:0], &a.Trace, a.Step)
		l.add(changeActiveStep, l.active(m, &a.Active))
	}
}

// active appends the common fields of tasks and steps. Times are relative to the entry's, which most are close to.
func (l *Log) active(m []byte, a *Active) []byte {
	m = fields.Int(m, activeHeard, a.Heard)
	m = fields.Bool(m, activeComplete, a.Complete)
	m = fields.Uint(m, activeGauge, a.Gauge)
	for i, at := range a.Times {
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

// ForgetTask writes that a task was removed, with its steps.
func (l *Log) ForgetTask(trace [16]byte) {
	if l.begin() {
		l.entry = fields.Message(l.entry, changeForgetTask, trace[:])
	}
}

// ForgetStep writes that a step was removed.
func (l *Log) ForgetStep(trace [16]byte, step uint64) {
	if l.begin() {
		l.add(changeForgetStep, stepOf(l.message[:0], &trace, step))
	}
}

// Seen writes that a span or an event was measured.
func (l *Log) Seen(things Things, key uint64) {
	if !l.begin() {
		return
	}
	change := changeSeenSpan
	if things == Events {
		change = changeSeenEvent
	}
	l.entry = fields.Fixed(l.entry, change, key)
}

// Identity writes the identity under which the state is reported.
func (l *Log) Identity(identity *Identity) {
	if l.begin() {
		m := fields.Text(l.message[:0], identityInstance, identity.Instance)
		l.add(changeIdentity, fields.Bool(m, identityDelta, identity.Delta))
	}
}
