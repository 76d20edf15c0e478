// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

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

// Missing lists what is known to be missing of the ended parts of a run, whose spans have their ids.
func (t *Source) Missing(n *Run) []Missing {
	var all []Missing
	add := func(span event.SpanID, of, format string, args ...any) {
		all = append(all, Missing{span, of, fmt.Sprintf(format, args...)})
	}
	for i, p := range n.Passes {
		pass := "pass " + strconv.Itoa(i+1)
		over := p.Ends > 0 || i+1 < len(n.Passes) || n.Ended
		for j, b := range p.Batches {
			if !b.Announced && (over || j+1 < len(p.Batches)) {
				add(b.Span, fmt.Sprintf("batch %d of %s", j+1, pass), "its end")
			}
			if b.Announced && !b.spun && b.size >= 0 && int(b.size) > len(b.Attempts) {
				add(b.Span, fmt.Sprintf("batch %d of %s", j+1, pass), "%d of its %d attempts", int(b.size)-len(b.Attempts), b.size)
			}
			for _, a := range b.Attempts {
				t.missingOf(a, over, add)
			}
		}
		if over && p.Finalizations < finalizationAnnouncements {
			add(p.Span, pass, "%d of %d announcements that its finalization begins", finalizationAnnouncements-p.Finalizations, finalizationAnnouncements)
		}
		if over && p.Ends < finalizationAnnouncements {
			add(p.Span, pass, "%d of %d announcements of its end", finalizationAnnouncements-p.Ends, finalizationAnnouncements)
		}
	}
	return append(all, t.missingOfTask(n)...)
}

func (t *Source) missingOf(a *Attempt, over bool, add func(event.SpanID, string, string, ...any)) {
	if a.Running() && !over {
		return
	}
	of := t.Events.StepName(a.Step)
	if a.Number > 1 {
		of += ", attempt " + strconv.Itoa(int(a.Number))
	}
	if a.requests < attemptAnnouncements && !t.Coarse {
		add(a.Span, of, "%d of %d announcements that it begins", attemptAnnouncements-a.requests, attemptAnnouncements)
	}
	if a.Handler == 0 {
		add(a.Span, of, "that its handler begins")
	}
	if a.ends < attemptAnnouncements {
		add(a.Span, of, "%d of %d announcements of its end", attemptAnnouncements-a.ends, attemptAnnouncements)
	}
}

// missingOfTask lists the announcements missing of a first run as a whole, and its end.
func (t *Source) missingOfTask(n *Run) []Missing {
	created, ends := t.Released != nil || t.Events.Refused, 0
	for i := range n.Records {
		switch n.Records[i].Kind {
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
	if (n.Status == lifecycle.StatusSuccess || n.Status == lifecycle.StatusFailure) && ends < finalizationAnnouncements && !t.Events.Refused {
		all = append(all, Missing{Of: "the task", What: fmt.Sprintf("%d of %d announcements of its end", finalizationAnnouncements-ends, finalizationAnnouncements)})
	}
	return all
}
