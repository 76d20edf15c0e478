// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// written are changes as texts.
type written []string

func (w *written) add(change ...any) { *w = append(*w, fmt.Sprintf("%+v", change)) }

func (w *written) Time(now Instant)                   { w.add("time", now) }
func (w *written) Series(s Series)                    { w.add("series", s) }
func (w *written) Count(series, by uint64)            { w.add("count", series, by) }
func (w *written) Set(series uint64, value, at int64) { w.add("set", series, value, at) }
func (w *written) Started(series uint64, at int64)    { w.add("started", series, at) }
func (w *written) Observe(series uint64, value int64) { w.add("observe", series, value) }
func (w *written) Exemplar(series uint64, e Exemplar) { w.add("exemplar", series, e) }
func (w *written) Collect(at int64)                   { w.add("collect", at) }
func (w *written) Accept()                            { w.add("accept") }
func (w *written) Restore()                           { w.add("restore") }
func (w *written) Accepted(at int64)                  { w.add("accepted", at) }
func (w *written) ActiveTask(task ActiveTask)         { w.add("task", task) }
func (w *written) ActiveStep(step ActiveStep)         { w.add("step", step) }
func (w *written) ForgetTask(trace [16]byte)          { w.add("forget", trace) }
func (w *written) ForgetStep(t [16]byte, step uint64) { w.add("forget", t, step) }
func (w *written) Seen(things Things, key uint64)     { w.add("seen", things, key) }
func (w *written) Identity(identity Identity)         { w.add("identity", identity) }

func (w *written) Value(series uint64, v Value) {
	exponential := "none"
	if v.Exponential != nil {
		exponential = fmt.Sprintf("%+v", *v.Exponential)
		v.Exponential = nil
	}
	w.add("value", series, v, exponential)
}

// TestWhatIsWrittenIsRead writes random changes in entries of any length and reads them back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got written
		log := New(func(entry []byte) { require.NoError(t, Read(entry, &got)) })
		text, few := rapid.StringN(0, 10, 20), rapid.SampledFrom([]string{"", "a"})
		number, natural := rapid.Int64(), rapid.Uint64()
		small := rapid.Int32()
		running := rapid.Int64()
		trace, span := rapid.Make[[16]byte](), rapid.Make[[8]byte]()
		exemplar := func() Exemplar {
			return Exemplar{number.Draw(t, "value"), number.Draw(t, "at"), trace.Draw(t, "trace"), span.Draw(t, "span"), 0}
		}
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			now := number.Draw(t, "now")
			instant := Instant{Wall: now, Running: running.Draw(t, "running")}
			log.Begin(instant)
			length := rapid.IntRange(0, 8).Draw(t, "length")
			if length > 0 {
				want.Time(instant)
			}
			for range length {
				id := natural.Draw(t, "id")
				switch max(0, rapid.IntRange(-4, 14).Draw(t, "change")) { // a series omits what equals the previous one
				case 0:
					s := Series{
						ID: id, Started: number.Draw(t, "started"), Namespace: few.Draw(t, "namespace"), Service: few.Draw(t, "service"),
						OverflowApplication: rapid.Bool().Draw(t, "rest"), Metric: few.Draw(t, "metric"), Shape: natural.Draw(t, "shape"),
						Key: text.Draw(t, "key"), Names: rapid.SliceOfN(text, 0, 3).Draw(t, "names"), Overflow: rapid.Bool().Draw(t, "overflow"),
					}
					log.Series(&s)
					want.Series(s)
				case 1:
					log.Count(id, 7)
					want.Count(id, 7)
				case 2:
					value := number.Draw(t, "value")
					log.Observe(id, value)
					want.Observe(id, value)
				case 3:
					e := exemplar()
					log.Exemplar(id, &e)
					want.Exemplar(id, e)
				case 4:
					v := Value{
						Touched: number.Draw(t, "touched"), Pending: rapid.Bool().Draw(t, "pending"), Reported: rapid.Bool().Draw(t, "reported"),
						Count: id, High: natural.Draw(t, "high"), Low: natural.Draw(t, "low"), Level: number.Draw(t, "level"),
						Min: number.Draw(t, "min"), Max: number.Draw(t, "max"), Buckets: rapid.SliceOfN(natural, 1, 4).Draw(t, "buckets"),
					}
					if rapid.Bool().Draw(t, "exponential") {
						v.Exponential = &Exponential{small.Draw(t, "scale"), small.Draw(t, "offset"), id, rapid.SliceOfN(natural, 0, 4).Draw(t, "counts")}
					}
					if rapid.Bool().Draw(t, "exemplars") {
						v.Exemplars = []Exemplar{exemplar(), exemplar()}
					}
					log.Value(id, &v)
					want.Value(id, v)
				case 5:
					log.Collect(now)
					want.Collect(now)
				case 6:
					log.Accept()
					want.Accept()
				case 7:
					log.Restore()
					want.Restore()
				case 8:
					log.Accepted(now)
					want.Accepted(now)
				case 9:
					common := Active{
						Trace: trace.Draw(t, "trace"), Times: ActiveTimes{now, 0, number.Draw(t, "left"), 0, number.Draw(t, "ended")},
						Heard: number.Draw(t, "heard"), Complete: rapid.Bool().Draw(t, "complete"), Gauge: id,
					}
					if rapid.Bool().Draw(t, "step") {
						a := ActiveStep{Active: common, Step: id}
						log.ActiveStep(&a)
						want.ActiveStep(a)
						break
					}
					a := ActiveTask{Active: common, State: rapid.Byte().Draw(t, "state"), Age: id / 2}
					log.ActiveTask(&a)
					want.ActiveTask(a)
				case 10:
					task := trace.Draw(t, "trace")
					log.ForgetStep(task, id)
					want.ForgetStep(task, id)
					log.ForgetTask(task)
					want.ForgetTask(task)
				case 11:
					log.Seen(Events, id)
					want.Seen(Events, id)
				case 14:
					log.Started(id, now)
					want.Started(id, now)
				case 13:
					log.Set(id, now, 5)
					want.Set(id, now, 5)
				case 12:
					identity := Identity{text.Draw(t, "instance"), rapid.Bool().Draw(t, "delta")}
					log.Identity(&identity)
					want.Identity(identity)
				}
			}
			log.End()
		}
		require.Equal(t, want, got)
	})
}

func TestCutMakesEntriesThatStandAlone(t *testing.T) {
	var got written
	entries := 0
	log := New(func(entry []byte) {
		entries++
		require.NoError(t, Read(entry, &got))
	})
	log.Begin(Instant{1, 1})
	for id := range uint64(30_000) {
		log.Series(&Series{ID: id, Service: "shop", Metric: "tasker.events"})
		log.Cut()
	}
	log.End()
	require.Greater(t, entries, 1)
	require.Len(t, got, 30_000+entries, "and the time of each entry")
	require.Contains(t, got[len(got)-1], "Service:shop")
	require.Positive(t, log.Written())
}

func TestANilLogWritesNothing(t *testing.T) {
	var log *Log
	log.Begin(Instant{1, 1})
	log.Series(&Series{})
	log.Count(1, 1)
	log.Set(1, 1, 1)
	log.Started(1, 1)
	log.Observe(1, 1)
	log.Exemplar(1, &Exemplar{})
	log.Value(1, &Value{})
	log.Collect(1)
	log.Accept()
	log.Restore()
	log.Accepted(1)
	log.ActiveTask(&ActiveTask{})
	log.ActiveStep(&ActiveStep{})
	log.ForgetTask([16]byte{})
	log.ForgetStep([16]byte{}, 1)
	log.Seen(Spans, 1)
	log.Identity(&Identity{})
	log.End()
	require.Zero(t, log.Written())
}

func TestUnreadableEntries(t *testing.T) {
	series := fields.Number(nil, changeOf, 1)
	for want, entry := range map[string][]byte{
		"cut":                  []byte("\x08"),
		"a field is cut":       fields.Message(nil, changeValue, []byte("\x08")),
		"id of 3 bytes":        fields.Message(series, changeExemplar, fields.Message(nil, exemplarTrace, []byte("abc"))),
		"id of 4 bytes":        fields.Message(nil, changeForgetTask, []byte("abcd")),
		"id of 5 bytes":        fields.Message(nil, changeActiveStep, fields.Message(nil, activeTrace, []byte("abcde"))),
		"exceeds 32 bits":      fields.Message(series, changeValue, fields.Message(nil, valueExponential, fields.Int(nil, exponentialScale, 1<<40))),
		"of an unknown form":   fields.Message(series, changeValue, fields.Message(nil, valueBuckets, []byte("\xff"))),
		"a field is cut or of": fields.Message(nil, changeSeries, []byte("\x22\x09")),
	} {
		require.ErrorContains(t, Read(entry, new(written)), want, "%q", entry)
	}
}

// TestUnknownFieldsArePassedOver checks that entries of a later version are read without their unknown fields.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	var got written
	entry := fields.Message(nil, changeTime, fields.Int(fields.Int(nil, 77, 1), timeWall, 5))
	entry = fields.Message(entry, 500, []byte("a change of a later version"))
	entry = fields.Number(entry, changeOf, 3)
	entry = fields.Number(entry, changeCount, 7)
	require.NoError(t, Read(entry, &got))
	var want written
	want.Time(Instant{Wall: 5})
	want.Count(3, 7)
	require.Equal(t, want, got)
}
