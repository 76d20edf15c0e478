// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// missing returns how much is known to be missing in the runs.
func missing(runs []*run) int {
	gaps := 0
	for _, n := range runs {
		gaps += n.gaps
	}
	return gaps
}

// ranListed reports whether the batch ran the steps of the discovery before it. Otherwise the discovery was of another batch, of
// which nothing else arrived.
func (rd *reader) ranListed(b *batch) bool {
	if len(b.listed) == 0 {
		return true
	}
	for _, step := range b.listed {
		rd.listed[step] = true
	}
	ran := len(b.listed) == len(b.attempts)
	for _, a := range b.attempts {
		ran = ran && rd.listed[a.step]
	}
	for _, step := range b.listed {
		rd.listed[step] = false
	}
	return ran
}

// lacksAttempts reports whether the batch should have more attempts, or others.
func (rd *reader) lacksAttempts(b *batch) bool {
	return !b.spun && (b.size >= 0 && int(b.size) != len(b.attempts) || !rd.ranListed(b))
}

// knowsDependencies reports whether an event arrived of every step that the step depends on.
func (t *historyTask) knowsDependencies(of int16) bool {
	for _, dep := range t.Events.Steps[of].Deps {
		if !slices.ContainsFunc(t.Events.Steps, func(known event.Step) bool { return known.Name == dep }) {
			return false
		}
	}
	return true
}

// waitedForKnown reports whether an event arrived of every step that the run's steps depend on. Where whole batches are missing,
// nothing else shows it.
func (rd *reader) waitedForKnown() bool {
	steps := rd.task.Events.Steps
	known := make(map[string]bool, len(steps))
	for _, a := range rd.run.forgotten {
		known[steps[a.step].Name] = true
	}
	for i := range rd.run.records {
		if r := &rd.run.records[i]; r.Step != event.NoStep {
			known[steps[r.Step].Name] = true
		}
	}
	for _, a := range rd.run.attempts {
		for _, dep := range steps[a.step].Deps {
			if !known[dep] {
				return false
			}
		}
	}
	return true
}

// missing counts the events that a first run should have and has not: its creation, its enqueuing, the runs of its job, its steps,
// the second of two announcements.
func (rd *reader) missing() int {
	if rd.rerun || rd.task.Events.Refused {
		return 0
	}
	gaps, seen := 0, rd.run.countAnnounced()
	if !seen.created {
		gaps++
	}
	if seen.jobs > 0 && !seen.enqueued {
		gaps++
	}
	if seen.discoveries%searchAnnouncements != 0 || seen.idle%searchAnnouncements != 0 {
		gaps++
	}
	if seen.jobs != rd.run.passCount() || int(seen.lastJob) > seen.jobs {
		gaps++
	}
	if !rd.waitedForKnown() {
		gaps++
	}
	if (rd.run.status == lifecycle.StatusSuccess || rd.run.status == lifecycle.StatusFailure) && seen.ends < finalizationAnnouncements {
		gaps++
	}
	if rd.run.status == lifecycle.StatusSuccess && seen.completed > 0 {
		done := int16(0)
		for _, a := range rd.current {
			if a != nil && a.status == lifecycle.StatusSuccess {
				done++
			}
		}
		if done < seen.completed {
			gaps++
		}
	}
	return gaps
}

// countAnnounced counts the announcements of the run.
func (n *run) countAnnounced() announced {
	var t announced
	if n.before != nil {
		t = n.before.announced
	}
	begun := int64(0)
	for _, p := range n.passes {
		begun = p.start
	}
	for i := range n.records {
		r := &n.records[i]
		switch {
		case r.Kind == event.Created:
			t.created = true
		case r.Kind == event.Enqueued:
			t.enqueued = true
		case r.Kind == event.Discovered:
			t.discoveries++
		case r.Kind == event.NothingViable:
			t.idle++
		case r.Kind == event.JobBegan && r.At <= begun:
			t.jobs++
			t.lastJob = max(t.lastJob, r.Number-1)
		case r.Kind == event.TaskCompleted:
			t.ends++
			t.completed = max(t.completed, r.Number)
		case r.Kind == event.TaskFailed:
			t.ends++
		}
	}
	return t
}
