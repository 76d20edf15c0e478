// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// stateView is the presentation of a state or an outcome: a word and a mark, and a color only in addition.
type stateView struct {
	Key   string // in the API and in URLs
	Word  string
	Mark  string
	Class string
}

var openStates = [assembly.States]stateView{
	assembly.StateQueued:     {"queued", "queued", "◌", "wait"},
	assembly.StateRunning:    {"running", "running", "●", "run"},
	assembly.StateWaiting:    {"waiting", "waits for its next pass", "◔", "wait"},
	assembly.StateBackingOff: {"backing_off", "backing off", "↻", "back"},
	assembly.StateBlocked:    {"blocked", "blocked", "■", "bad"},
	assembly.StateSettling:   {"settling", "ended, settling", "◐", "ok"},
}

var (
	stateIncomplete = stateView{"incomplete", "not ended", "…", "back"}
	outcomes        = map[lifecycle.Status]stateView{
		lifecycle.StatusSuccess:          {"success", "success", "✓", "ok"},
		lifecycle.StatusFailure:          {"failure", "failed", "✗", "bad"},
		lifecycle.StatusCancelled:        {"cancelled", "cancelled", "⊘", "mute"},
		lifecycle.StatusResolvedManually: {"resolved_manually", "resolved by hand", "✎", "mute"},
	}
)

func outcomeOf(status lifecycle.Status) stateView {
	if v, known := outcomes[status]; known {
		return v
	}
	return stateIncomplete
}

func markOf(m treeview.Mark) stateView {
	switch m {
	case treeview.MarkSuccess:
		return outcomes[lifecycle.StatusSuccess]
	case treeview.MarkFailure:
		return outcomes[lifecycle.StatusFailure]
	case treeview.MarkCancelled:
		return outcomes[lifecycle.StatusCancelled]
	case treeview.MarkResolved:
		return outcomes[lifecycle.StatusResolvedManually]
	case treeview.MarkOpen:
		return stateView{"open", "has not ended", "●", "run"}
	}
	return stateView{}
}
