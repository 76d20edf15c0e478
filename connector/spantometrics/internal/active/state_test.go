// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// reference derives the state of tasks from their events in chronological order.
type reference struct {
	exists, open, passSeen, inPass, queued bool
	since                                  int64
	steps                                  map[uint64]*referenceStep
}

type referenceStep struct{ executing, failed, backoff, putBack bool }

func (r *reference) take(e Event) {
	if !r.exists {
		r.exists, r.open, r.since = true, true, e.At
	}
	switch e.Change {
	case Enqueued:
		r.queued = true
	case Began:
		r.open, r.passSeen, r.inPass = true, true, true
	case Left:
		r.inPass, r.queued = false, false
	case Ended:
		r.open, r.since = false, e.At
	}
	if e.StepChange == NoStep {
		return
	}
	s := r.steps[e.Step]
	if s == nil {
		s = &referenceStep{}
		r.steps[e.Step] = s
	}
	switch e.StepChange {
	case Requested:
		*s = referenceStep{executing: true}
	case StepEnded:
		s.executing, s.failed = false, false
	case Failed:
		s.executing, s.failed = false, true
	case PutBack:
		s.putBack = true
	case BackoffAnnounced:
		s.backoff = true
	}
}

func (r *reference) state() State {
	held, backingOff := false, false
	for _, s := range r.steps {
		switch {
		case s.putBack:
		case s.executing && r.open:
			return Running
		case s.failed && s.backoff:
			backingOff = true
		case s.failed:
			held = true
		}
	}
	switch {
	case !r.open:
		return Closed
	case held:
		return Blocked
	case backingOff:
		return BackingOff
	case r.inPass:
		return Running
	case r.queued || !r.passSeen:
		return Queued
	}
	return Waiting
}

// truth holds the expected gauges.
type truth struct {
	tasks, steps, oldest map[string]int64
}

// truthOf applies the events in chronological order.
func truthOf(events []Event, now int64) truth {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	tasks := map[[16]byte]*reference{}
	for _, e := range events {
		if tasks[e.Trace] == nil {
			tasks[e.Trace] = &reference{steps: map[uint64]*referenceStep{}}
		}
		tasks[e.Trace].take(e)
	}
	want := truth{map[string]int64{}, map[string]int64{}, map[string]int64{}}
	for _, task := range tasks {
		for _, s := range task.steps {
			if s.executing && !s.putBack {
				want.steps[" a"]++
			}
		}
		if state := task.state(); state != Closed {
			want.tasks[" a "+state.String()]++
			want.oldest[" a"] = max(want.oldest[" a"], now-task.since)
		}
	}
	return want
}

func drawEvents(t *rapid.T) []Event {
	count := rapid.IntRange(0, 60).Draw(t, "events")
	events := make([]Event, count)
	for i := range events {
		events[i] = Event{Trace: [16]byte{1 + rapid.ByteMax(1).Draw(t, "task")}, At: int64(1 + i)}
		if rapid.Bool().Draw(t, "of a step") {
			events[i].Step = rapid.Uint64Range(1, 2).Draw(t, "step")
			events[i].StepChange = StepChange(rapid.IntRange(int(Requested), int(BackoffAnnounced)).Draw(t, "step change"))
		} else {
			events[i].Change = TaskChange(rapid.IntRange(int(Mentioned), int(Ended)).Draw(t, "change"))
		}
	}
	return events
}

// TestAnyOrderAnyRepetitionAnyRestart applies events in any order, some repeatedly, with restarts between them: the gauges
// equal those after applying each event once in chronological order.
func TestAnyOrderAnyRepetitionAnyRestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		arriving := slices.Clone(events)
		for range rapid.IntRange(0, 5).Draw(t, "repetitions") {
			if len(events) > 0 {
				arriving = append(arriving, rapid.SampledFrom(events).Draw(t, "again"))
			}
		}
		arriving = rapid.Permutation(arriving).Draw(t, "order")
		f := newFixture(t, Options{MaxIDs: 100, MaxAge: 1000, Memory: 1000})
		f.name = "a"
		f.record()
		now := int64(100)
		for _, e := range arriving {
			now++
			f.observe(e, now)
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				f.restart(now, rapid.Bool().Draw(t, "snapshot"))
			}
		}
		f.age(now)
		want := truthOf(events, now)
		require.Equal(t, want.tasks, f.levels("tasks", now))
		require.Equal(t, want.steps, f.levels("steps", now))
		require.Equal(t, want.oldest, f.levels("oldest", now))
	})
}

func TestStates(t *testing.T) {
	step := func(change StepChange) Event { return Event{Step: 1, StepChange: change} }
	task := func(change TaskChange) Event { return Event{Change: change} }
	for _, test := range []struct {
		events []Event
		want   State
	}{
		{[]Event{task(Mentioned)}, Queued},
		{[]Event{task(Enqueued)}, Queued},
		{[]Event{task(Enqueued), task(Began)}, Running},
		{[]Event{task(Began), task(Left)}, Waiting},
		{[]Event{task(Began), task(Left), task(Enqueued)}, Queued},
		{[]Event{task(Began), step(Requested), step(Failed)}, Blocked},
		{[]Event{task(Began), step(Requested), step(Failed), {Step: 2, StepChange: Requested}}, Running},
		{[]Event{task(Began), step(Requested), step(BackoffAnnounced), step(Failed), task(Left)}, BackingOff},
		{[]Event{task(Began), step(Requested), step(Failed), task(Left), step(PutBack)}, Waiting},
		{[]Event{task(Began), step(Requested), step(Failed), step(PutBack), step(Failed), task(Left)}, Waiting},
		{[]Event{task(Began), step(Requested), step(Failed), task(Left), step(StepEnded)}, Waiting},
		{[]Event{task(Began), step(Requested), task(Left)}, Running},
		{[]Event{task(Began), step(Requested), step(Failed), task(Left), task(Ended)}, Closed},
		{[]Event{task(Ended), task(Mentioned), task(Enqueued)}, Closed},
		{[]Event{task(Ended), task(Began)}, Running},
	} {
		f := newFixture(t, wide())
		f.name = "a"
		for i, e := range test.events {
			e.Trace, e.At = [16]byte{1}, int64(1+i)
			f.observe(e, int64(20+i))
		}
		want := map[string]int64{}
		if test.want != Closed {
			want[" a "+test.want.String()] = 1
		}
		require.Equal(t, want, f.tasks(), fmt.Sprint(test.events))
	}
}
