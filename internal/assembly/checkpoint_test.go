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
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reading from a checkpoint is reading from the beginning, wherever it stands: here every event is looked at by itself, and
// everything that may be forgotten is.
func TestEveryCheckpointGivesTheSameTree(t *testing.T) {
	eager := patient()
	eager.ReorderWindow, eager.SettleTimeout = time.Millisecond, time.Hour
	for name, events := range partStreams(t) {
		for _, lost := range []int{0, 3, 20} {
			t.Run(fmt.Sprint(name, "/", lost), func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(lost), 1))
				kept := slices.DeleteFunc(slices.Clone(events), func(*assembly.Event) bool { return random.IntN(100) < lost })
				slices.SortStableFunc(kept, func(a, b *assembly.Event) int { return int(a.At - b.At) })
				assembled := func(limits assembly.Limits) (texts []string) {
					union := union{}
					a := assembly.New(limits, func(tree *assembly.Tree) {
						union.add(t, tree)
						for _, s := range tree.Spans {
							if lost > 0 {
								s.Notes = nil // what ran beside a note whose end never comes is not known
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

// manyPasses are the events of a task with passes in each of which a step fails, the last of which succeeds.
func manyPasses(passes int) *story {
	s := new(story).created()
	for i := range passes {
		run := i + 2
		s.say(lifecycle.ObservabilityTaskEnqueue, func(e *assembly.Event) { e.HasJob, e.JobRun = true, run })
		s.say(lifecycle.TaskStartRequested).say(lifecycle.WorkflowTaskStarted)
		for range 2 {
			s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *assembly.Event) { e.StepIDs = []string{"1"} })
		}
		s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *assembly.Event) { e.StepCount = 1 })
		for range 3 {
			s.say(lifecycle.StepExecutionRequested, step("1"), func(e *assembly.Event) { e.Attempt = i })
		}
		s.say(lifecycle.StepBeforeHandle, step("1")).wait(50 * time.Millisecond)
		outcome, terminal, status := lifecycle.StepFailed, lifecycle.TaskInitializeRequested, "pending"
		if i == passes-1 {
			outcome, terminal, status = lifecycle.StepCompleted, lifecycle.TaskCompleted, "complete"
		}
		for range 3 {
			s.say(outcome, step("1"))
		}
		s.say(lifecycle.WorkflowStepsExecutionCompleted)
		s.passEnds(terminal, status).wait(3*time.Second).say(lifecycle.StepInitializeRequested, step("1"))
	}
	s.events = s.events[:len(s.events)-1]
	return s
}

// A task of thousands of passes costs memory for the pass that is open, and reads each event a bounded number of times.
func TestALongTaskIsBoundedByItsOpenPass(t *testing.T) {
	const passes = 3000
	s := manyPasses(passes)
	l := inParts(patient())
	l.EventsPerTask = 500
	steps, most := 0, int64(0)
	var root told
	attempts := int64(0)
	a := assembly.New(l, func(tree *assembly.Tree) {
		for i := range tree.Spans {
			if tree.Spans[i].Name == lifecycle.SpanStep {
				steps++
			}
		}
		if !tree.Part {
			root = tell(tree)
			for _, attr := range tree.Spans[0].Attributes {
				if attr.Key == lifecycle.AttrAttempts {
					attempts = attr.Value.Int
				}
			}
		}
	})
	for i, e := range s.events {
		now := time.Unix(0, e.At)
		a.Advance(now)
		a.Observe(e, now)
		if i > len(s.events)/10 {
			most = max(most, a.Stats().HeldBytes)
		}
	}
	a.Advance(time.Unix(0, int64(s.at)).Add(patient().SettleTimeout))
	require.Equal(t, passes, steps)
	require.EqualValues(t, passes, attempts)
	require.Equal(t, "success", root.status)
	require.Zero(t, a.Stats().OverLimit)
	require.Less(t, most, int64(64<<10))
	require.Less(t, a.Stats().Read, int64(12*len(s.events)))
}

// A batch of which one step runs for hours does not hold back the others: each is out soon after its end, and the batch when
// the last one has ended.
func TestABatchDoesNotHoldBackItsAttempts(t *testing.T) {
	const siblings = 500
	s := new(story).created().passBegins()
	var ids []string
	for i := range siblings + 1 {
		ids = append(ids, strconv.Itoa(i+1))
	}
	for range 2 {
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *assembly.Event) { e.StepIDs = ids })
	}
	s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *assembly.Event) { e.StepCount = siblings + 1 })
	long := step(ids[siblings])
	begin := func(of func(*assembly.Event)) {
		for range 3 {
			s.say(lifecycle.StepExecutionRequested, of, func(e *assembly.Event) { e.Attempt = 0 })
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

	out, batches, size := 0, 0, int64(0)
	a := assembly.New(inParts(patient()), func(tree *assembly.Tree) {
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
	}
	a.Advance(time.Unix(0, int64(s.at)).Add(patient().SettleTimeout))
	require.Equal(t, siblings+1, out)
	require.Equal(t, 1, batches)
	require.EqualValues(t, siblings+1, size)
}
