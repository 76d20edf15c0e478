// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"fmt"
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Missing describes what is known to be missing of a task.
type Missing struct {
	Span event.SpanID // that waits for it
	Of   string
	What string
}

// Missing lists what is known to be missing of the ended parts of the run that is open, or ended last. It is called after Trees.
func (s *Snapshot) Missing() []Missing { return s.lacking }

// lacks lists what is missing of a run.
func (t *historyTask) lacks(n *run) []Missing {
	var all []Missing
	add := func(span event.SpanID, of, format string, args ...any) {
		all = append(all, Missing{span, of, fmt.Sprintf(format, args...)})
	}
	for i, p := range n.passes {
		pass := "pass " + strconv.Itoa(i+1)
		over := p.ends > 0 || i+1 < len(n.passes) || n.ended
		for j, b := range p.batches {
			if !b.announced && (over || j+1 < len(p.batches)) {
				add(b.span, fmt.Sprintf("batch %d of %s", j+1, pass), "its end")
			}
			if b.announced && !b.spun && b.size >= 0 && int(b.size) > len(b.attempts) {
				add(b.span, fmt.Sprintf("batch %d of %s", j+1, pass), "%d of its %d attempts", int(b.size)-len(b.attempts), b.size)
			}
			for _, a := range b.attempts {
				t.lacksOf(a, over, add)
			}
		}
		if over && p.finalizations < finalizationAnnouncements {
			add(p.span, pass, "%d of %d announcements that its finalization begins", finalizationAnnouncements-p.finalizations, finalizationAnnouncements)
		}
		if over && p.ends < finalizationAnnouncements {
			add(p.span, pass, "%d of %d announcements of its end", finalizationAnnouncements-p.ends, finalizationAnnouncements)
		}
	}
	return append(all, t.lacksOfTask(n)...)
}

func (t *historyTask) lacksOf(a *attempt, over bool, add func(event.SpanID, string, string, ...any)) {
	if a.running() && !over {
		return
	}
	of := t.Events.StepName(a.step)
	if a.number > 1 {
		of += ", attempt " + strconv.Itoa(int(a.number))
	}
	if a.requests < attemptAnnouncements && !t.coarse {
		add(a.span, of, "%d of %d announcements that it begins", attemptAnnouncements-a.requests, attemptAnnouncements)
	}
	if a.handler == 0 {
		add(a.span, of, "that its handler begins")
	}
	if a.ends < attemptAnnouncements {
		add(a.span, of, "%d of %d announcements of its end", attemptAnnouncements-a.ends, attemptAnnouncements)
	}
}

// lacksOfTask lists the announcements missing of a first run as a whole, and its end.
func (t *historyTask) lacksOfTask(n *run) []Missing {
	created, ends := t.released != nil || t.Events.Refused, 0
	for i := range n.records {
		switch n.records[i].Kind {
		case event.Created:
			created = true
		case event.TaskCompleted, event.TaskFailed:
			ends++
		}
	}
	var all []Missing
	if !created {
		all = append(all, Missing{Of: "the task", What: "its creation"})
	}
	if (n.status == lifecycle.StatusSuccess || n.status == lifecycle.StatusFailure) && ends < finalizationAnnouncements && !t.Events.Refused {
		all = append(all, Missing{Of: "the task", What: fmt.Sprintf("%d of %d announcements of its end", finalizationAnnouncements-ends, finalizationAnnouncements)})
	}
	return all
}
