// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// partStreams are streams of tasks that run long enough for parts of them to be emitted before their end.
func partStreams(t testing.TB) map[string][]*event.Event {
	streams := scenarioEvents(t)
	for _, name := range []string{"mixed", "planned", "real/linear5", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	return streams
}

// Whatever is lost, later than all timeouts, or repeated: no span is emitted twice, no attempt has two spans, and in the end every
// span has its parent.
func TestPartsOfBrokenStreamsAreWellFormed(t *testing.T) {
	t.Parallel()
	streams := partStreams(t)
	names := slices.Sorted(maps.Keys(streams))
	rapid.Check(t, func(t *rapid.T) {
		events := streams[rapid.SampledFrom(names).Draw(t, "stream")]
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		lost := rapid.IntRange(0, 30).Draw(t, "lost of 100")
		delay := rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, time.Minute, 10 * time.Minute}).Draw(t, "delay")
		var list []arrival
		for _, a := range arrivals(random, events, delay) {
			if random.IntN(100) >= lost {
				list = append(list, a)
			}
		}
		if len(list) == 0 {
			return
		}
		union := union{}
		a := assembly.New(inParts(patient()), func(tree *tree.Tree) {
			union.add(t, tree)
		})
		observeLive(a, random, list)
		a.Flush()
		union.requireConnected(t)
		union.requireAttemptsApart(t)
		require.Zero(t, a.Stats().HeldBytes)
		require.Zero(t, a.Stats().HeldEvents)
	})
}

// requireAttemptsApart requires that no two spans of one step overlap: an attempt would have two.
func (u union) requireAttemptsApart(t require.TestingT) {
	for _, spans := range u {
		bySteps := map[int64][]tree.Span{}
		for _, s := range spans {
			if s.Name == lifecycle.SpanStep {
				for _, attr := range s.Attributes {
					if attr.Key == lifecycle.AttrStepID {
						bySteps[attr.Value.Int] = append(bySteps[attr.Value.Int], s)
					}
				}
			}
		}
		for _, attempts := range bySteps {
			slices.SortFunc(attempts, func(a, b tree.Span) int { return cmp.Compare(a.Start, b.Start) })
			for i := 1; i < len(attempts); i++ {
				require.Less(t, attempts[i-1].End, attempts[i].Start, "two spans of one attempt")
			}
		}
	}
}

// finishedSpans are the names of spans that are emitted soon after their end. A backoff ends where the next attempt begins, which
// is known a little later; the error of a failed pass is known at the end of its task.
var finishedSpans = []string{
	lifecycle.SpanOrchestration, lifecycle.SpanBatch, lifecycle.SpanStep, lifecycle.SpanHandler, lifecycle.SpanDependency, lifecycle.SpanQueued,
	lifecycle.SpanFinalization,
}

// At every moment, everything that finished more than a reorder window and a second ago has been emitted, and is equal to its form
// in the whole tree.
func TestWhatHasFinishedIsOut(t *testing.T) {
	t.Parallel()
	const slack, delay = time.Second, 200 * time.Millisecond
	for name, events := range partStreams(t) {
		t.Run(name, func(t *testing.T) {
			whole := map[event.SpanID]tree.Span{}
			text := map[event.SpanID]string{}
			a := assembly.New(patient(), func(tree *tree.Tree) {
				for _, s := range tree.Spans {
					whole[s.ID], text[s.ID] = s, describeSpan(&s)
				}
			})
			feed(a, events, time.Unix(1, 0))
			a.Advance(time.Unix(1, 0).Add(patient().SettleTimeout))
			a.Flush()

			random := rand.New(rand.NewPCG(1, 1))
			list := arrivals(random, events, delay)
			out := map[event.SpanID]bool{}
			a = assembly.New(inParts(patient()), func(tree *tree.Tree) {
				for i := range tree.Spans {
					s := &tree.Spans[i]
					require.Equal(t, text[s.ID], describeSpan(s))
					out[s.ID] = true
				}
			})
			waiting := slices.SortedFunc(maps.Values(whole), func(a, b tree.Span) int { return cmp.Compare(a.End, b.End) })
			waiting = slices.DeleteFunc(waiting, func(s tree.Span) bool {
				if (strings.HasPrefix(name, "cancelled") || name == "pass_dies") && s.Name == lifecycle.SpanQueued || strings.Contains(text[s.ID], lifecycle.AttrIncomplete) {
					return true // whether a wait belongs to the cancelled run, or an attempt has an end, is decided later
				}
				return !slices.Contains(finishedSpans, s.Name) || s.Outcome != tree.OutcomeOk && s.Name != lifecycle.SpanStep && s.Name != lifecycle.SpanHandler
			})
			last := list[0].at
			requireOut := func(now int64) {
				due := now - int64(patient().ReorderWindow+slack+delay)
				for len(waiting) > 0 && waiting[0].End < due {
					require.True(t, out[waiting[0].ID], "%s ended %s ago", waiting[0].Name, time.Duration(now-waiting[0].End))
					waiting = waiting[1:]
				}
			}
			for _, next := range list {
				for last+int64(100*time.Millisecond) < next.at && last < next.at-int64(time.Minute) || last+int64(100*time.Millisecond) < next.at && next.at-last < int64(time.Minute) {
					last += int64(100 * time.Millisecond)
					a.Advance(time.Unix(0, last))
					requireOut(last)
					if next.at-last > int64(2*time.Minute) {
						last = next.at - int64(time.Minute)
					}
				}
				last = next.at
				a.Advance(time.Unix(0, last))
				a.Observe(next.event, time.Unix(0, last))
				requireOut(last)
			}
		})
	}
}

// The span of the pass in which a task failed is emitted as soon as others, also where the task waits for another missing event:
// here its creation.
func TestAFailedPassDoesNotWaitForItsTask(t *testing.T) {
	for name, messages := range map[string][]string{"a message": {"no stock", ""}, "the second has it": {"", "no stock"}} {
		t.Run(name, func(t *testing.T) {
			s := new(story).passBegins().attempt("1", lifecycle.StepFailed).passEnds(lifecycle.TaskFailed, "error")
			for _, e := range s.events {
				if e.Name == lifecycle.TaskFailed {
					e.ErrorMessage, messages = messages[0], messages[1:]
				}
			}
			requireSameParts(t, s.events, time.Duration(s.at)+patient().ReorderWindow+time.Second, func(early []tree.Span) {
				require.True(t, slices.ContainsFunc(early, func(s tree.Span) bool {
					return s.Name == lifecycle.SpanOrchestration && s.Message == "no stock"
				}))
				require.False(t, slices.ContainsFunc(early, func(s tree.Span) bool { return s.Name == lifecycle.SpanTask }))
			})
		})
	}
}

// requireSameParts delivers the events as they happen, checks what has been emitted at a time, and requires the same total as from
// a replay.
func requireSameParts(t *testing.T, events []*event.Event, at time.Duration, look func(early []tree.Span)) {
	t.Helper()
	replay := spansByTrace(t, func(a *assembly.Assembler) { feed(a, events, time.Unix(1, 0)) })
	var out []tree.Span
	texts := map[event.TraceID][]string{}
	a := assembly.New(inParts(patient()), func(tree *tree.Tree) {
		for i := range tree.Spans {
			out = append(out, tree.Spans[i])
			texts[tree.Trace] = append(texts[tree.Trace], describeSpan(&tree.Spans[i]))
		}
	})
	for _, e := range events {
		a.Advance(time.Unix(0, e.At))
		a.Observe(e, time.Unix(0, e.At))
	}
	for now := events[len(events)-1].At; now <= int64(at); now += int64(100 * time.Millisecond) {
		a.Advance(time.Unix(0, now))
	}
	look(slices.Clone(out))
	a.Advance(time.Unix(0, int64(at)).Add(2 * patient().SettleTimeout))
	a.Flush()
	for _, list := range texts {
		slices.Sort(list)
	}
	require.Equal(t, replay, texts)
}

// An application's own event that arrives after its span was emitted is dropped and counted.
func TestLateEventsOfApplicationsAreCounted(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		s := new(story).created().passBegins()
		note := s.say("order.fulfilled").events[len(s.events)-1]
		s.attempt("1", lifecycle.StepFailed).passEnds(lifecycle.TaskInitializeRequested, "pending")
		end := time.Unix(0, int64(s.at))
		a := assembly.New(inParts(patient()), func(emitted *tree.Tree) {
			for i := range emitted.Spans {
				require.False(t, slices.ContainsFunc(emitted.Spans[i].Events, func(n tree.SpanEvent) bool { return n.Name == note.Name }))
			}
		})
		for _, e := range s.events {
			if e != note {
				a.Observe(e, time.Unix(0, e.At))
			}
		}
		a.Advance(end.Add(2 * patient().SettleTimeout)) // the second discovery does not arrive
		require.Positive(t, a.Stats().Parts)
		if forgotten {
			s.wait(3*patient().SettleTimeout).say(lifecycle.StepInitializeRequested, step("1"))
			a.Observe(s.events[len(s.events)-1], time.Unix(0, int64(s.at)))
		}
		late := a.Stats().Late
		a.Observe(note, end.Add(3*patient().SettleTimeout))
		a.Advance(end.Add(6 * patient().SettleTimeout))
		a.Flush()
		require.Equal(t, late+1, a.Stats().Late)
	}
}
