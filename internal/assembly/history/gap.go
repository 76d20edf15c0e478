// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Gap is what is missing of a task, as far as other events show it.
type Gap uint8

// What can be missing.
const (
	// GapTaskName: no event has named the task.
	GapTaskName Gap = iota
	// GapJob: the enqueue event of a pass's job, or earlier runs of that job.
	GapJob
	// GapPassBeginning: the beginning of a pass.
	GapPassBeginning
	// GapPassEnd: announcements of the end of a pass, of its finalization, or of why the task failed in it.
	GapPassEnd
	// GapDiscovery: an announcement of the steps that are viable, or that there are none.
	GapDiscovery
	// GapBatchBeginning: the beginning of a batch.
	GapBatchBeginning
	// GapBatchEnd: the end of a batch.
	GapBatchEnd
	// GapBatchAttempts: attempts that a batch should have, by its size or its discovery.
	GapBatchAttempts
	// GapBatch: a whole batch, of which a step ran that others depend on.
	GapBatch
	// GapAttempt: announcements of an attempt.
	GapAttempt
	// GapEarlierAttempts: earlier attempts of a step, or their beginnings.
	GapEarlierAttempts

	// Gaps is the number of kinds.
	Gaps
)

func (g Gap) String() string {
	return [...]string{
		"task_name", "job", "pass_beginning", "pass_end", "discovery", "batch_beginning", "batch_end", "batch_attempts", "batch",
		"attempt", "earlier_attempts",
	}[g]
}

// gap is what is missing, and when the collector received the event that showed it; the zero gap means that nothing is missing.
type gap struct {
	arrived int64
	of      Gap
}

// show records that an event shows a gap: of several the one that was shown last counts, because it is waited for longest.
func (g *gap) show(r *event.Record, of Gap) { g.join(gap{r.Arrived, of}) }

// join adds another gap.
func (g *gap) join(other gap) {
	if other.arrived > g.arrived {
		*g = other
	}
}
