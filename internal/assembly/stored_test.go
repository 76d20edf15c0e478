// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// stores keeps the releases of an assembler, as its owner does.
type stores map[event.TraceID]stored

type stored struct {
	release assembly.Release
	at      time.Time
}

// reborn is an assembler that is restarted at any time, with all releases stored at once.
type reborn struct {
	*assembly.Assembler
	limits assembly.Limits
	sink   func(*tree.Tree)
	stores stores
	events []arrival
	now    time.Time
	eager  bool // forget everything that may be forgotten
}

func newReborn(limits assembly.Limits, sink func(*tree.Tree)) *reborn {
	r := &reborn{limits: limits, sink: sink, stores: stores{}}
	r.begin()
	return r
}

func (r *reborn) begin() {
	r.Assembler = assembly.New(r.limits, r.sink)
	if r.eager {
		r.ForgetEagerly()
	}
	r.OnRelease(func(release assembly.Release) {
		release.State = slices.Clone(release.State)
		r.stores[release.Trace] = stored{release, r.now}
	})
}

// end ends the process and starts another one from the stored releases and the events that are still needed.
func (r *reborn) end(t require.TestingT) {
	r.events = slices.DeleteFunc(r.events, func(a arrival) bool { return !r.Holds(a.event.TraceID, a.event.At) })
	for trace, s := range r.stores {
		if !r.Remembers(trace, s.release.Serial) {
			delete(r.stores, trace)
		}
	}
	r.begin()
	for _, s := range r.stores {
		require.NoError(t, r.Recall(s.release))
	}
	for _, a := range r.events {
		r.Advance(time.Unix(0, a.at))
		r.Assembler.Observe(a.event, time.Unix(0, a.at))
	}
	r.Resume()
}

func (r *reborn) Observe(e *event.Event, now time.Time) {
	r.events = append(r.events, arrival{now.UnixNano(), e})
	r.now = now
	r.Assembler.Observe(e, now)
}

// However often the process restarts while tasks are open, the spans are those of a replay, each once.
func TestAStoredTaskGoesOn(t *testing.T) {
	t.Parallel()
	streams := partStreams(t)
	var names []string
	want := map[string]map[event.TraceID][]string{}
	for name, events := range streams {
		names = append(names, name)
		want[name] = spansByTrace(t, func(a *assembly.Assembler) { feed(a, events, time.Unix(1, 0)) })
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		often := rapid.IntRange(20, 300).Draw(t, "one of")
		union, spans := union{}, map[event.TraceID][]string{}
		r := newReborn(inParts(patient()), func(tree *tree.Tree) {
			union.add(t, tree)
			for i := range tree.Spans {
				spans[tree.Trace] = append(spans[tree.Trace], describeSpan(&tree.Spans[i]))
			}
		})
		r.eager = rapid.Bool().Draw(t, "eager")
		r.begin()
		list := arrivals(random, streams[name], patient().ReorderWindow)
		for _, next := range list {
			r.Advance(time.Unix(0, next.at))
			if random.IntN(often) == 0 {
				r.end(t)
			}
			r.Observe(next.event, time.Unix(0, next.at))
		}
		r.end(t)
		r.Advance(time.Unix(0, list[len(list)-1].at).Add(patient().SettleTimeout))
		r.Flush()
		union.requireWellFormed(t)
		for _, texts := range spans {
			slices.Sort(texts)
		}
		require.Equal(t, want[name], spans)
	})
}

// Whatever the storage returns, it is decoded or rejected.
func FuzzRecall(f *testing.F) {
	r := newReborn(inParts(patient()), func(*tree.Tree) {})
	for _, e := range readStream(f, "real/retry")[:400] {
		r.Advance(time.Unix(0, e.At))
		r.Observe(e, time.Unix(0, e.At))
	}
	for _, s := range r.stores {
		f.Add(s.release.State)
	}
	event := readStream(f, "order_processing")[5]
	f.Fuzz(func(_ *testing.T, state []byte) {
		a := assembly.New(inParts(limits()), func(*tree.Tree) {})
		if a.Recall(assembly.Release{Trace: event.TraceID, State: state}) != nil {
			return
		}
		a.Resume()
		a.Observe(event, time.Unix(1, 0))
		a.Advance(time.Unix(100, 0))
		a.Flush()
	})
}

// However late events are, and whenever the process dies: a span that is emitted again is the same, because the next component may
// have kept it. Releases are stored some time after their spans were emitted, as their owner does.
func TestWhatIsEmittedAgainIsTheSame(t *testing.T) {
	t.Parallel()
	const again = 5 * time.Second
	streams := partStreams(t)
	names := slices.Sorted(maps.Keys(streams))
	rapid.Check(t, func(t *rapid.T) {
		events := streams[rapid.SampledFrom(names).Draw(t, "stream")]
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		late := rapid.IntRange(1, 20).Draw(t, "late of 100")
		often := rapid.IntRange(20, 200).Draw(t, "one of")
		limits := patient()
		limits.Parts = rapid.Bool().Draw(t, "parts")
		var list []arrival
		for _, e := range events {
			delay := random.Int64N(int64(limits.ReorderWindow / 2))
			if random.IntN(100) < late {
				delay += random.Int64N(int64(10 * limits.ReorderWindow))
			}
			list = append(list, arrival{e.At + delay, e})
		}
		slices.SortStableFunc(list, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })

		emitted := map[event.TraceID]map[event.SpanID]string{}
		var (
			r       *reborn
			pending []stored // in the order of their emission
			durable = stores{}
			now     int64
		)
		begin := func() {
			r = newReborn(limits, func(tree *tree.Tree) {
				if emitted[tree.Trace] == nil {
					emitted[tree.Trace] = map[event.SpanID]string{}
				}
				for i := range tree.Spans {
					s := &tree.Spans[i]
					text := describeSpan(s)
					if before, known := emitted[tree.Trace][s.ID]; known {
						require.Equal(t, before, text, "emitted again")
					}
					emitted[tree.Trace][s.ID] = text
				}
			})
			r.OnRelease(func(release assembly.Release) {
				release.State = slices.Clone(release.State)
				pending = append(pending, stored{release, time.Unix(0, now)})
			})
		}
		begin()
		for i, next := range list {
			now = next.at
			r.Advance(time.Unix(0, now))
			for len(pending) > 0 && pending[0].at.Add(again).UnixNano() <= now {
				durable[pending[0].release.Trace] = stored{pending[0].release, time.Unix(0, now)}
				pending = pending[1:]
			}
			if random.IntN(often) == 0 {
				pending = nil
				begin()
				for _, s := range durable {
					require.NoError(t, r.Recall(s.release))
				}
				for _, a := range list[:i] {
					if s, known := durable[a.event.TraceID]; known && a.event.At <= s.release.End {
						continue
					}
					now = a.at
					r.Advance(time.Unix(0, now))
					r.Observe(a.event, time.Unix(0, now))
				}
				r.Resume()
				now = next.at
				r.Advance(time.Unix(0, now))
			}
			r.Observe(next.event, time.Unix(0, now))
		}
		r.Advance(time.Unix(0, now).Add(2 * patient().SettleTimeout))
	})
}
