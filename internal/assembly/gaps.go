package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// missing is how much is known to be missing in the runs.
func missing(runs []*run) int {
	gaps := 0
	for _, n := range runs {
		gaps += n.gaps
	}
	return gaps
}

// ranListed tells whether the batch ran the steps of the discovery before it. Otherwise that was of another batch, of which
// nothing else came.
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

// lacksAttempts tells whether the batch should have more attempts, or others.
func (rd *reader) lacksAttempts(b *batch) bool {
	return !b.spun && (b.size >= 0 && int(b.size) != len(b.attempts) || !rd.ranListed(b))
}

// knowsDependencies tells whether something came of every step that the step waits for.
func (t *task) knowsDependencies(of int16) bool {
	for _, dep := range t.steps[of].deps {
		if !slices.ContainsFunc(t.steps, func(known step) bool { return known.name == dep }) {
			return false
		}
	}
	return true
}

// waitedForKnown tells whether of all that the run's steps wait for something came. Where whole batches did not, nothing else
// tells of them.
func (rd *reader) waitedForKnown() bool {
	steps := rd.task.steps
	known := make(map[string]bool, len(steps))
	for i := range rd.run.records {
		if r := &rd.run.records[i]; r.step != noStep {
			known[steps[r.step].name] = true
		}
	}
	for _, a := range rd.run.attempts {
		for _, dep := range steps[a.step].deps {
			if !known[dep] {
				return false
			}
		}
	}
	return true
}

// missing counts what a first run should have told and did not: its creation, its enqueuing, the runs of its job, its steps,
// the second of two announcements.
func (rd *reader) missing() int {
	if rd.rerun || rd.task.refused {
		return 0
	}
	gaps, ends, jobs, lastJob, completed := 1, 0, 0, int16(0), int16(0)
	begun, enqueued, discoveries, idle := int64(0), false, 0, 0
	for _, p := range rd.run.passes {
		begun = p.start
	}
	for i := range rd.run.records {
		r := &rd.run.records[i]
		switch {
		case r.kind == kindCreated:
			gaps = 0
		case r.kind == kindEnqueued:
			enqueued = true
		case r.kind == kindDiscovered:
			discoveries++
		case r.kind == kindNothingViable:
			idle++
		case r.kind == kindJobBegan && r.at <= begun:
			jobs++
			lastJob = max(lastJob, r.number-1)
		case r.kind == kindTaskCompleted:
			ends++
			completed = max(completed, r.number)
		case r.kind == kindTaskFailed:
			ends++
		}
	}
	if jobs > 0 && !enqueued {
		gaps++
	}
	if discoveries%searchAnnouncements != 0 || idle%searchAnnouncements != 0 {
		gaps++
	}
	if jobs != len(rd.run.passes) || int(lastJob) > jobs {
		gaps++
	}
	if !rd.waitedForKnown() {
		gaps++
	}
	if (rd.run.status == lifecycle.StatusSuccess || rd.run.status == lifecycle.StatusFailure) && ends < finalizationAnnouncements {
		gaps++
	}
	if rd.run.status == lifecycle.StatusSuccess && completed > 0 {
		done := int16(0)
		for _, a := range rd.current {
			if a != nil && a.status == lifecycle.StatusSuccess {
				done++
			}
		}
		if done < completed {
			gaps++
		}
	}
	return gaps
}
