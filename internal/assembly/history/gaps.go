// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// CountGaps returns how much is known to be missing in the runs.
func CountGaps(runs []*Run) int {
	gaps := 0
	for _, n := range runs {
		gaps += n.gaps
	}
	return gaps
}

// ranListed reports whether the batch ran the steps of the discovery before it. Otherwise the discovery was of another batch, of
// which nothing else arrived.
func (rd *Reader) ranListed(b *Batch) bool {
	if len(b.listed) == 0 {
		return true
	}
	for _, step := range b.listed {
		rd.listed[step] = true
	}
	ran := len(b.listed) == len(b.Attempts)
	for _, a := range b.Attempts {
		ran = ran && rd.listed[a.Step]
	}
	for _, step := range b.listed {
		rd.listed[step] = false
	}
	return ran
}

// lacksAttempts reports whether the batch should have more attempts, or others.
func (rd *Reader) lacksAttempts(b *Batch) bool {
	return !b.spun && (b.size >= 0 && int(b.size) != len(b.Attempts) || !rd.ranListed(b))
}

// knowsDependencies reports whether an event arrived of every step that the step depends on.
func (t *Source) knowsDependencies(of int16) bool {
	for _, dep := range t.Events.Steps[of].Deps {
		if !slices.ContainsFunc(t.Events.Steps, func(known event.Step) bool { return known.Name == dep }) {
			return false
		}
	}
	return true
}

// waitedForKnown reports whether an event arrived of every step that the run's steps depend on. Where whole batches are missing,
// nothing else shows it.
func (rd *Reader) waitedForKnown() bool {
	steps := rd.task.Events.Steps
	known := make(map[string]bool, len(steps))
	for _, a := range rd.run.Forgotten {
		known[steps[a.Step].Name] = true
	}
	for i := range rd.run.Records {
		if r := &rd.run.Records[i]; r.Step != event.NoStep {
			known[steps[r.Step].Name] = true
		}
	}
	for _, a := range rd.run.Attempts {
		for _, dep := range steps[a.Step].Deps {
			if !known[dep] {
				return false
			}
		}
	}
	return true
}

// missing counts the events that a first run should have and has not: its creation, its enqueuing, the runs of its job, its steps,
// the second of two announcements.
func (rd *Reader) missing() int {
	if rd.rerun || rd.task.Events.Refused {
		return 0
	}
	gaps, seen := 0, rd.run.countAnnounced()
	if !seen.Created {
		gaps++
	}
	if seen.Jobs > 0 && !seen.Enqueued {
		gaps++
	}
	if seen.Discoveries%searchAnnouncements != 0 || seen.Idle%searchAnnouncements != 0 {
		gaps++
	}
	if seen.Jobs != rd.run.PassCount() || int(seen.LastJob) > seen.Jobs {
		gaps++
	}
	if !rd.waitedForKnown() {
		gaps++
	}
	if (rd.run.Status == lifecycle.StatusSuccess || rd.run.Status == lifecycle.StatusFailure) && seen.Ends < finalizationAnnouncements {
		gaps++
	}
	if rd.run.Status == lifecycle.StatusSuccess && seen.Completed > 0 {
		done := int16(0)
		for _, a := range rd.current {
			if a != nil && a.Status == lifecycle.StatusSuccess {
				done++
			}
		}
		if done < seen.Completed {
			gaps++
		}
	}
	return gaps
}

// countAnnounced counts the announcements of the run.
func (n *Run) countAnnounced() Announced {
	var t Announced
	if n.Before != nil {
		t = n.Before.Announced
	}
	begun := int64(0)
	for _, p := range n.Passes {
		begun = p.Start
	}
	for i := range n.Records {
		r := &n.Records[i]
		switch {
		case r.Kind == event.Created:
			t.Created = true
		case r.Kind == event.Enqueued:
			t.Enqueued = true
		case r.Kind == event.Discovered:
			t.Discoveries++
		case r.Kind == event.NothingViable:
			t.Idle++
		case r.Kind == event.JobBegan && r.At <= begun:
			t.Jobs++
			t.LastJob = max(t.LastJob, r.Number-1)
		case r.Kind == event.TaskCompleted:
			t.Ends++
			t.Completed = max(t.Completed, r.Number)
		case r.Kind == event.TaskFailed:
			t.Ends++
		}
	}
	return t
}
