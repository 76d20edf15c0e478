// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// builtinPlace is where built-in routes stand.
const builtinPlace = "built in"

// merge layers the operator's routes over the built-in ones.
func merge(settings Settings) ([]Entry, error) {
	var (
		entries []Entry
		errs    []error
	)
	index := map[string]int{}
	if settings.Builtin {
		for _, route := range lifecycle.DefaultRoutes() {
			index[route.Event] = len(entries)
			entries = append(entries, Entry{Route: route, Enabled: true, Builtin: true, Place: builtinPlace})
		}
	}
	_, err := parseSignals("default_signals", settings.DefaultSignals)
	errs = append(errs, err, checkRate("sampling_rate", settings.SamplingRate))

	seen := map[string]int{}
	for i, route := range settings.Routes {
		place := fmt.Sprintf("routes[%d]", i)
		event := canonical(route.Event)
		if first, twice := seen[event]; twice && event != "" {
			errs = append(errs, fmt.Errorf("%s.event: %q has a route already, routes[%d]: merge the two", place, route.Event, first))
			continue
		}
		seen[event] = i
		at, builtin := index[event]
		entry := Entry{Route: lifecycle.Route{SamplingRate: 1, Priority: lifecycle.PriorityNormal}, Enabled: true, Place: place}
		if builtin {
			entry.Route = entries[at].Route
		}
		errs = append(errs, overlay(&entry, route, place, builtin))
		if builtin {
			entries[at] = entry
		} else {
			entries = append(entries, entry)
		}
	}
	return entries, errors.Join(errs...)
}

// overlay puts what a route says into the entry, which holds what it inherits.
func overlay(entry *Entry, route Route, place string, builtin bool) error {
	entry.Event = canonical(route.Event)
	errs := []error{checkEvent(place+".event", route.Event)}
	if route.Enabled != nil {
		entry.Enabled = *route.Enabled
	}
	switch {
	case len(route.Signals) > 0:
		signals, err := parseSignals(place+".signals", route.Signals)
		entry.Signals = signals
		errs = append(errs, err)
	case route.Signals != nil && entry.Enabled:
		errs = append(errs, fmt.Errorf("%s.signals: is empty: name traces, metrics or logs, or drop the event with enabled: false", place))
	case !builtin && entry.Enabled:
		errs = append(errs, fmt.Errorf("%s.signals: is missing, and %q is no built-in route to take it from: name traces, metrics or logs",
			place, route.Event))
	}
	if route.SamplingRate != nil {
		entry.SamplingRate = *route.SamplingRate
		errs = append(errs, checkRate(place+".sampling_rate", *route.SamplingRate))
	}
	if route.Priority != "" {
		entry.Priority = lifecycle.Priority(route.Priority)
		errs = append(errs, checkPriority(place+".priority", entry.Priority))
	}
	return errors.Join(append(errs, checkSense(entry, route, place))...)
}

// checkSense refuses what contradicts itself.
func checkSense(entry *Entry, route Route, place string) error {
	if route.SamplingRate == nil || !entry.Enabled || entry.Signals == lifecycle.SignalsNone {
		return nil
	}
	switch rate := *route.SamplingRate; {
	case rate == 0 && !entry.Signals.Has(lifecycle.SignalMetrics):
		return fmt.Errorf("%s.sampling_rate: 0 keeps no %s of %q, and it is for nothing else: raise it, or drop the event with enabled: false",
			place, entry.Signals, route.Event)
	case rate != 1 && entry.Signals == lifecycle.SignalMetrics:
		return fmt.Errorf("%s.sampling_rate: %v has no effect on %q, which is for metrics only, and metrics see every event: remove it, or add traces or logs",
			place, rate, route.Event)
	}
	return nil
}

// checkReach refuses routes of the operator's that can never decide: those that a filter or another glob is always before.
func checkReach(entries []Entry, filters []filter) error {
	var (
		errs  []error
		globs []routeGlob
	)
	places := map[string]string{}
	for _, entry := range entries {
		places[entry.Event] = entry.Place
		if glob.IsPattern(entry.Event) {
			globs = append(globs, routeGlob{Glob: glob.New(entry.Event)})
		}
		if entry.Builtin || !entry.Enabled {
			continue
		}
		if filter := filterOf(filters, entry.Event); filter != nil {
			errs = append(errs, fmt.Errorf("%s.event: %q is never reached, because %s drops %q: remove one of the two",
				entry.Place, entry.Event, filter.place, filter.Pattern()))
		}
	}
	bySpecificity(globs)
	for i := range globs {
		hidden := globs[i].Pattern()
		for j := range globs[:i] {
			if globs[j].Covers(hidden) {
				errs = append(errs, fmt.Errorf("%s.event: %q is never reached, because %s, %q, matches all of it and comes before: remove one of the two",
					places[hidden], hidden, places[globs[j].Pattern()], globs[j].Pattern()))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// canonical leaves globs alone: "tasker.*" means names that really begin so.
func canonical(event string) string {
	if glob.IsPattern(event) {
		return event
	}
	return lifecycle.Canonical(event)
}

func checkEvent(place, event string) error {
	switch {
	case canonical(event) == "":
		return fmt.Errorf("%s: %q names no event: write a name such as step.completed, or a glob such as order.*", place, event)
	case strings.ContainsAny(event, " \t\r\n\x00,"):
		return fmt.Errorf("%s: %q has a blank or comma: write one name or glob an entry", place, event)
	}
	if err := glob.Check(event); err != nil {
		return fmt.Errorf("%s: %q %w", place, event, err)
	}
	return nil
}

func parseSignals(place string, words []string) (lifecycle.Signals, error) {
	var (
		signals lifecycle.Signals
		errs    []error
	)
	for _, word := range words {
		signal, known := lifecycle.ParseSignal(word)
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("%s: %q is no signal: use traces, metrics or logs", place, word))
		case signals.Has(signal):
			errs = append(errs, fmt.Errorf("%s: %q stands there twice: write it once", place, word))
		}
		signals |= signal
	}
	return signals, errors.Join(errs...)
}

// checkRate refuses NaN too.
func checkRate(place string, rate float64) error {
	if rate >= 0 && rate <= 1 {
		return nil
	}
	return fmt.Errorf("%s: %v is not a share: use a number from 0 (none) to 1 (all)", place, rate)
}

func checkPriority(place string, priority lifecycle.Priority) error {
	switch priority {
	case lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh, lifecycle.PriorityCritical:
		return nil
	}
	return fmt.Errorf("%s: %q is no priority: use low, normal, high or critical", place, priority)
}
