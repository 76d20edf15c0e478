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

// maxCachedNames bounds the memory of cached decisions on names without an exact route.
const maxCachedNames = 1024

// routeGlob is a route's glob with its decision.
type routeGlob struct {
	glob.Glob
	decision Decision
	entry    *Entry
}

// Table holds the decision on every name. It is immutable and safe for concurrent use.
type Table struct {
	entries  []Entry
	exact    map[string]*Decision
	globs    []routeGlob
	filters  []filter
	fallback Decision
	// cached holds the decisions on names without an exact route.
	cached *namecache.Cache[*Decision]
}

// Compile makes a table. Its error joins every mistake in the settings, each with its key, such as routes[2]::signals.
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

// Lookup returns the decision on a canonical name. The caller must not change it.
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

// Explanation is a decision with the routes it was preferred to.
type Explanation struct {
	*Decision
	// Lost are the other routes that match, most specific first.
	Lost []Entry
}

// Explain returns the decision on a canonical name with the other routes that match.
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

// Of returns the decision of an entry of this table.
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

// Fallback returns the decision on names without a route.
func (t *Table) Fallback() *Decision { return &t.fallback }

// Filters returns the names and globs of filtered_events.
func (t *Table) Filters() []string {
	events := make([]string, len(t.filters))
	for i := range t.filters {
		events[i] = t.filters[i].Pattern()
	}
	return events
}

// Entries returns the effective routes: the built-in ones in their order, then the operator's. The caller owns the slice.
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

// bySpecificity sorts the globs by precedence: most specific first, and the later one of equally specific globs.
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
