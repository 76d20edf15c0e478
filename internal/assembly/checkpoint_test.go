// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reading from a checkpoint gives the same as reading from the beginning, wherever it is set: here the task is checked after every
// event, and everything that may be forgotten is.
func TestEveryCheckpointGivesTheSameTree(t *testing.T) {
	t.Parallel()
	eager := patient()
	eager.ReorderWindow, eager.SettleTimeout = time.Millisecond, time.Hour
	for name, events := range partStreams(t) {
		for _, lost := range []int{0, 3, 20} {
			t.Run(fmt.Sprint(name, "/", lost), func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(lost), 1))
				kept := slices.DeleteFunc(slices.Clone(events), func(*event.Event) bool { return random.IntN(100) < lost })
				slices.SortStableFunc(kept, func(a, b *event.Event) int { return int(a.At - b.At) })
				assembled := func(limits assembly.Limits) (texts []string) {
					union := union{}
					a := assembly.New(limits, func(tree *tree.Tree) {
						union.add(t, tree)
						for _, s := range tree.Spans {
							if lost > 0 {
								s.Events = nil // what ran beside an event whose end never arrives is unknown
							}
							texts = append(texts, describeSpan(&s))
						}
					})
					a.ForgetEagerly()
					now := time.Unix(1000, 0)
					for _, e := range kept {
						a.Observe(e, now)
						now = now.Add(time.Second)
						a.Advance(now)
					}
					a.Advance(now.Add(limits.SettleTimeout))
					a.Flush()
					union.requireWellFormed(t)
					slices.Sort(texts)
					return texts
				}
				require.Equal(t, assembled(eager), assembled(inParts(eager)))
			})
		}
	}
}

// longPass adds a pass in which all steps fail, or succeed if it is the last one.
func (s *story) longPass(index, steps int, last bool) {
	var ids []string
	for i := range steps {
		ids = append(ids, strconv.Itoa(i+1))
	}
	s.say(lifecycle.ObservabilityTaskEnqueue, func(e *event.Event) { e.HasJob, e.JobRun = true, index+2 })
	s.say(lifecycle.TaskStartRequested).say(lifecycle.WorkflowTaskStarted)
	for range 2 {
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = ids })
	}
	s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *event.Event) { e.StepCount = steps })
	outcome, terminal, status := lifecycle.StepFailed, lifecycle.TaskInitializeRequested, "pending"
	if last {
		outcome, terminal, status = lifecycle.StepCompleted, lifecycle.TaskCompleted, "complete"
	}
	for _, id := range ids {
		for range 3 {
			s.say(lifecycle.StepExecutionRequested, step(id), func(e *event.Event) { e.Attempt = index })
		}
		s.say(lifecycle.StepBeforeHandle, step(id)).wait(5 * time.Millisecond)
	}
	for _, id := range ids {
		for range 3 {
			s.say(outcome, step(id))
		}
	}
	s.say(lifecycle.WorkflowStepsExecutionCompleted)
	s.passEnds(terminal, status).wait(3 * time.Second)
	if !last {
		for _, id := range ids {
			s.say(lifecycle.StepInitializeRequested, step(id))
		}
	}
}

// A task of ten thousand passes and a million events needs memory for its open pass only, and an event costs as much at its end as
// at its beginning.
func TestALongTaskIsBoundedByItsOpenPass(t *testing.T) {
	t.Parallel()
	const passes, steps = 10_000, 12
	l := inParts(patient())
	l.EventsPerTask = 1000
	emitted, attempts := 0, int64(0)
	var root summary
	a := assembly.New(l, func(tree *tree.Tree) {
		for i := range tree.Spans {
			if tree.Spans[i].Name == lifecycle.SpanStep {
				emitted++
			}
		}
		if !tree.Part {
			root = summarize(tree)
			for _, attr := range tree.Spans[0].Attributes {
				if attr.Key == lifecycle.AttrAttempts {
					attempts = attr.Value.Int
				}
			}
		}
	})
	type share struct{ most, reads, events int64 } // of a tenth of the task
	var shares []share
	s := new(story).created()
	for pass := range passes {
		if pass%(passes/10) == 0 {
			shares = append(shares, share{})
		}
		part, read := &shares[len(shares)-1], a.Stats().Read
		s.longPass(pass, steps, pass == passes-1)
		for _, e := range s.events {
			now := time.Unix(0, e.At)
			a.Advance(now)
			a.Observe(e, now)
			part.most = max(part.most, a.Stats().HeldBytes)
		}
		part.reads += a.Stats().Read - read
		part.events += int64(len(s.events))
		s.events = s.events[:0]
	}
	a.Advance(time.Unix(0, int64(s.at)).Add(patient().SettleTimeout))
	require.Equal(t, passes*steps, emitted)
	require.EqualValues(t, passes*steps, attempts)
	require.Equal(t, "success", root.status)
	require.Zero(t, a.Stats().OverLimit)
	require.Greater(t, a.Stats().Events, int64(1_000_000))
	for _, part := range shares {
		require.Less(t, part.most, int64(128<<10))
		require.Less(t, part.reads, 12*part.events)
	}
	first, last := shares[1], shares[len(shares)-1]
	require.InEpsilon(t, first.most, last.most, 0.1, "memory does not grow with the task")
	require.InEpsilon(t, float64(first.reads)/float64(first.events), float64(last.reads)/float64(last.events), 0.1, "nor does the work of an event")
}

// A batch of which one step runs for hours does not hold back the others: each is emitted soon after its end, and the batch when
// the last one has ended.
func TestABatchDoesNotHoldBackItsAttempts(t *testing.T) {
	t.Parallel()
	const siblings = 500
	s := new(story).created().passBegins()
	var ids []string
	for i := range siblings + 1 {
		ids = append(ids, strconv.Itoa(i+1))
	}
	for range 2 {
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = ids })
	}
	s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *event.Event) { e.StepCount = siblings + 1 })
	long := step(ids[siblings])
	begin := func(of func(*event.Event)) {
		for range 3 {
			s.say(lifecycle.StepExecutionRequested, of, func(e *event.Event) { e.Attempt = 0 })
		}
		s.say(lifecycle.StepBeforeHandle, of)
	}
	begin(long)
	for _, id := range ids[:siblings] {
		begin(step(id))
		for range 3 {
			s.say(lifecycle.StepCompleted, step(id))
		}
		s.wait(30 * time.Second)
	}
	s.wait(2 * time.Hour)
	for range 3 {
		s.say(lifecycle.StepCompleted, long)
	}
	s.say(lifecycle.WorkflowStepsExecutionCompleted).passEnds(lifecycle.TaskCompleted, "complete")

	out, batches, size, held := 0, 0, int64(0), int64(0)
	a := assembly.New(inParts(patient()), func(tree *tree.Tree) {
		for i := range tree.Spans {
			switch sp := &tree.Spans[i]; sp.Name {
			case lifecycle.SpanStep:
				out++
			case lifecycle.SpanBatch:
				batches++
				for _, attr := range sp.Attributes {
					if attr.Key == lifecycle.AttrBatchSize {
						size = attr.Value.Int
					}
				}
			}
		}
	})
	announced := map[string]int{}
	for _, e := range s.events {
		now := time.Unix(0, e.At)
		a.Advance(now)
		if e.Name == lifecycle.StepExecutionRequested && announced["ended"] > 0 {
			require.Equal(t, announced["ended"]/3, out, "each is out before the next one begins, half a minute later")
			require.Zero(t, batches)
		}
		if e.Name == lifecycle.StepCompleted {
			announced["ended"]++
		}
		a.Observe(e, now)
		held = max(held, a.Stats().HeldBytes)
	}
	require.Less(t, held, int64(220*siblings), "of what is out of an open batch little is held")
	a.Advance(time.Unix(0, int64(s.at)).Add(patient().SettleTimeout))
	require.Equal(t, siblings+1, out)
	require.Equal(t, 1, batches)
	require.EqualValues(t, siblings+1, size)
}
