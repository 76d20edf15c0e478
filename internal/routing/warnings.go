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
	"github.com/tasker-otel/otelcol-tasker/internal/nearest"
)

// Warnings are what the settings say that is allowed, and probably not meant: a name that is none of Tasker's although it
// looks like one, and a glob that decides on none of Tasker's events because each has a route of its own. An application's
// names are its own affair: nothing is said of order.placed.
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

// UnknownName is a warning if a name or glob, which stands at a place of the configuration, is nearly one of Tasker's.
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
	meant, distance := nearest.Of(event, known)
	// In a group of Tasker's own the name is surely meant to be one of Tasker's.
	if distance > nearest.MaxTypos && !slices.Contains(groupsOf(known), group) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q is not an event of Tasker; did you mean %q? It stays in force for an event of that name",
		place, event, meant)}
}

// unknownGroup is a warning if what a glob begins with is nearly a group of Tasker's, such as steps.* for step.*.
func unknownGroup(place, event string, known []string) []string {
	literal, _, _ := strings.Cut(event, glob.Any)
	group, _, whole := strings.Cut(literal, ".")
	if !whole {
		return nil
	}
	meant, distance := nearest.Of(group, groupsOf(known))
	if distance > 1 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q matches no event of Tasker; the nearest group is %q. It stays in force for an application's own events",
		place, event, meant+".*")}
}

// idleGlob is a warning if a glob matches events of Tasker's but decides on none of them.
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

// groupsOf are the first words of names.
func groupsOf(names []string) []string {
	var groups []string
	for _, name := range names {
		if group, _, _ := strings.Cut(name, "."); !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}
