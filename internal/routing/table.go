// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"cmp"
	"errors"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxCachedNames bounds the memory that names without an exact route take.
const maxCachedNames = 1024

// routeGlob is the pattern of a route with what the route decides.
type routeGlob struct {
	glob.Glob
	decision Decision
	entry    *Entry
}

// Table knows the decision on every name. It is immutable and safe for concurrent use.
type Table struct {
	entries  []Entry
	exact    map[string]*Decision
	globs    []routeGlob
	filters  []filter
	fallback Decision
	// cached holds the decisions of names that only globs, or nothing, match.
	cached *namecache.Cache[*Decision]
}

// Compile makes a table. Its error joins every mistake in the settings, each with its place: routes[2].signals: ….
func Compile(settings Settings) (*Table, error) {
	filters, filterErr := compileFilters(settings.Filtered)
	entries, err := merge(settings)
	if err := errors.Join(err, filterErr, checkReach(entries, filters)); err != nil {
		return nil, err
	}
	t := &Table{
		entries: entries, filters: filters, exact: make(map[string]*Decision, len(entries)), fallback: fallback(settings),
	}
	for i := range t.entries {
		entry := &t.entries[i]
		decision := entry.decision(settings.SamplingRate)
		if filter := filterOf(filters, entry.Event); filter != nil {
			decision = filter.decision()
		}
		if glob.IsPattern(entry.Event) {
			t.globs = append(t.globs, routeGlob{glob.New(entry.Event), decision, entry})
		} else {
			t.exact[entry.Event] = &decision
		}
	}
	bySpecificity(t.globs)
	t.cached = namecache.New(maxCachedNames, t.search)
	return t, nil
}

// Lookup is the decision on a canonical name. It must not be changed.
func (t *Table) Lookup(name string) *Decision {
	if decision, found := t.exact[name]; found {
		return decision
	}
	return t.cached.Get(name)
}

func (t *Table) search(name string) *Decision {
	for i := range t.filters {
		if t.filters[i].Match(name) {
			decision := t.filters[i].decision()
			return &decision
		}
	}
	for i := range t.globs {
		if t.globs[i].Match(name) {
			return &t.globs[i].decision
		}
	}
	return &t.fallback
}

// Explanation is how the decision on a name came about.
type Explanation struct {
	*Decision
	// Lost are the other routes that match, the most specific first. They would decide if those before them were not there.
	Lost []Entry
}

// Explain is the decision on a canonical name, with the routes that it was preferred to.
func (t *Table) Explain(name string) Explanation {
	e := Explanation{Decision: t.Lookup(name)}
	for i := range t.entries {
		if entry := &t.entries[i]; entry.Event == name && entry.Place != e.Place {
			e.Lost = append(e.Lost, *entry)
		}
	}
	for i := range t.globs {
		if g := &t.globs[i]; g.Match(name) && g.entry.Place != e.Place {
			e.Lost = append(e.Lost, *g.entry)
		}
	}
	return e
}

// Of is the decision that an entry of this table stands for.
func (t *Table) Of(entry Entry) *Decision {
	if decision, found := t.exact[entry.Event]; found {
		return decision
	}
	for i := range t.globs {
		if t.globs[i].Pattern() == entry.Event {
			return &t.globs[i].decision
		}
	}
	return &t.fallback
}

// Fallback is the decision on names without a route.
func (t *Table) Fallback() *Decision { return &t.fallback }

// Filters are the names and globs of filtered_events.
func (t *Table) Filters() []string {
	events := make([]string, len(t.filters))
	for i := range t.filters {
		events[i] = t.filters[i].Pattern()
	}
	return events
}

// Entries are the routes in force: the built-in ones in their order, then the operator's. The slice is the caller's.
func (t *Table) Entries() []Entry { return slices.Clone(t.entries) }

func (e *Entry) decision(rate float64) Decision {
	if !e.Enabled {
		return Decision{Route: e.Event, Place: e.Place, Priority: e.Priority, Reason: ReasonDisabled}
	}
	rate *= e.SamplingRate
	return Decision{
		Signals:      e.Signals,
		Priority:     e.Priority,
		Route:        e.Event,
		Place:        e.Place,
		SamplingRate: rate,
		threshold:    threshold(rate),
	}
}

func (f *filter) decision() Decision {
	return Decision{Route: f.Pattern(), Place: f.place, Priority: lifecycle.PriorityNormal, Reason: ReasonFiltered}
}

// bySpecificity puts the glob that decides first. Later ones come first among equals, because the sort is stable.
func bySpecificity(globs []routeGlob) {
	slices.Reverse(globs)
	slices.SortStableFunc(globs, func(a, b routeGlob) int { return cmp.Compare(b.Literals(), a.Literals()) })
}

func fallback(settings Settings) Decision {
	var signals lifecycle.Signals
	for _, word := range settings.DefaultSignals {
		signal, _ := lifecycle.ParseSignal(word)
		signals |= signal
	}
	d := Decision{
		Signals:      signals,
		Place:        "default_signals",
		Priority:     lifecycle.PriorityNormal,
		SamplingRate: settings.SamplingRate,
		threshold:    threshold(settings.SamplingRate),
	}
	if signals == lifecycle.SignalsNone {
		d.Reason = ReasonNoRoute
	}
	return d
}
