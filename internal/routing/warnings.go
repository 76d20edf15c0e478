// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Warnings returns a message for each setting that is valid but probably a mistake: a name that resembles one of Tasker's,
// and a glob that decides no event of Tasker because each has a more specific route. Names that an application defines,
// such as order.placed, cause none.
func (t *Table) Warnings() []string {
	var warnings []string
	for _, entry := range t.entries {
		if entry.Builtin {
			continue
		}
		place := configerr.Path(entry.Place, "event")
		if glob.IsPattern(entry.Event) {
			warnings = append(warnings, t.idleGlob(place, entry.Event)...)
		}
		warnings = append(warnings, UnknownName(place, entry.Event)...)
	}
	for i := range t.filters {
		warnings = append(warnings, UnknownName(t.filters[i].place, t.filters[i].Pattern())...)
	}
	return warnings
}

// UnknownName returns a warning if a name or glob configured at place resembles one of Tasker's.
func UnknownName(place, event string) []string {
	g := glob.New(event)
	known := lifecycle.Names()
	if slices.ContainsFunc(known, g.Match) {
		return nil
	}
	if glob.IsPattern(event) {
		return unknownGroup(place, event, known)
	}
	group, _, _ := strings.Cut(event, ".")
	meant, distance := configerr.Nearest(event, known)
	// A name within one of Tasker's own groups is meant to be one of Tasker's.
	if distance > configerr.MaxTypos && !slices.Contains(groupsOf(known), group) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q is not an event of Tasker; did you mean %q? It stays in force for an event of that name",
		place, event, meant)}
}

// unknownGroup returns a warning if a glob's prefix resembles a group of Tasker's, such as steps.* for step.*.
func unknownGroup(place, event string, known []string) []string {
	literal, _, _ := strings.Cut(event, glob.Any)
	group, _, whole := strings.Cut(literal, ".")
	if !whole {
		return nil
	}
	meant, distance := configerr.Nearest(group, groupsOf(known))
	if distance > 1 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q matches no event of Tasker; the nearest group is %q. It stays in force for an application's own events",
		place, event, meant+".*")}
}

// idleGlob returns a warning if a glob matches events of Tasker but decides none of them.
func (t *Table) idleGlob(place, event string) []string {
	g := glob.New(event)
	decider := ""
	for _, name := range lifecycle.Names() {
		if !g.Match(name) {
			continue
		}
		decision := t.Lookup(name)
		if decision.Route == event {
			return nil
		}
		if decider == "" {
			decider = fmt.Sprintf("%q is decided by %q (%s)", name, decision.Route, decision.Place)
		}
	}
	if decider == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q decides on no event of Tasker, because all that it matches have a more specific route: "+
		"%s. Give each a route by its exact name", place, event, decider)}
}

// groupsOf returns the first segments of names.
func groupsOf(names []string) []string {
	var groups []string
	for _, name := range names {
		if group, _, _ := strings.Cut(name, "."); !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}
