// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// builtinPlace is the Place of built-in routes.
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
			errs = append(errs, configerr.New(configerr.Path(place, "event"), route.Event, fmt.Sprintf("has a route already, routes[%d]", first), "use one route for both"))
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

// overlay applies the settings of a route to the entry, which holds the inherited ones.
func overlay(entry *Entry, route Route, place string, builtin bool) error {
	entry.Event = canonical(route.Event)
	errs := []error{checkEvent(configerr.Path(place, "event"), route.Event)}
	if route.Enabled != nil {
		entry.Enabled = *route.Enabled
	}
	switch {
	case len(route.Signals) > 0:
		signals, err := parseSignals(configerr.Path(place, "signals"), route.Signals)
		entry.Signals = signals
		errs = append(errs, err)
	case route.Signals != nil && entry.Enabled:
		errs = append(errs, configerr.New(configerr.Path(place, "signals"), nil, "is empty", "use traces, metrics or logs, or drop the event with enabled: false"))
	case !builtin && entry.Enabled:
		errs = append(errs, configerr.New(configerr.Path(place, "signals"), nil, fmt.Sprintf("is missing, and there is no built-in route for %q", route.Event),
			"use traces, metrics or logs"))
	}
	if route.SamplingRate != nil {
		entry.SamplingRate = *route.SamplingRate
		errs = append(errs, checkRate(configerr.Path(place, "sampling_rate"), *route.SamplingRate))
	}
	if route.Priority != "" {
		entry.Priority = lifecycle.Priority(route.Priority)
		errs = append(errs, checkPriority(configerr.Path(place, "priority"), entry.Priority))
	}
	return errors.Join(append(errs, checkSense(entry, route, place))...)
}

// checkSense reports settings that contradict each other.
func checkSense(entry *Entry, route Route, place string) error {
	if route.SamplingRate == nil || !entry.Enabled || entry.Signals == lifecycle.SignalsNone {
		return nil
	}
	switch rate := *route.SamplingRate; {
	case rate == 0 && !entry.Signals.Has(lifecycle.SignalMetrics):
		return configerr.New(configerr.Path(place, "sampling_rate"), rate, fmt.Sprintf("keeps no %s of %q, which is for nothing else", entry.Signals, route.Event),
			"use more, or drop the event with enabled: false")
	case rate != 1 && entry.Signals == lifecycle.SignalMetrics:
		return configerr.New(configerr.Path(place, "sampling_rate"), rate, fmt.Sprintf("has no effect on %q, which is for metrics only, and metrics see every event", route.Event),
			"remove it, or add traces or logs")
	}
	return nil
}

// checkReach reports the operator's routes that can never decide because a filter or another glob always precedes them.
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
			errs = append(errs, configerr.New(configerr.Path(entry.Place, "event"), entry.Event,
				fmt.Sprintf("is never reached, because %s drops %q", filter.place, filter.Pattern()), "remove one of the two"))
		}
	}
	bySpecificity(globs)
	for i := range globs {
		hidden := globs[i].Pattern()
		for j := range globs[:i] {
			if globs[j].Covers(hidden) {
				errs = append(errs, configerr.New(configerr.Path(places[hidden], "event"), hidden,
					fmt.Sprintf("is never reached, because %s, %q, matches all of it and comes before", places[globs[j].Pattern()], globs[j].Pattern()),
					"remove one of the two"))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// canonical strips the prefix "tasker." of a name. A glob is left unchanged: "tasker.*" matches names that begin so.
func canonical(event string) string {
	if glob.IsPattern(event) {
		return event
	}
	return lifecycle.Canonical(event)
}

func checkEvent(place, event string) error {
	switch {
	case canonical(event) == "":
		return configerr.New(place, event, "is not a name", "use a name such as step.completed, or a glob such as order.*")
	case strings.ContainsAny(event, " \t\r\n\x00,"):
		return configerr.New(place, event, "has a blank or a comma", "use one entry per name or glob")
	}
	return glob.Check(place, event)
}

func parseSignals(place string, names []string) (lifecycle.Signals, error) {
	var (
		signals lifecycle.Signals
		errs    []error
	)
	for i, name := range names {
		signal, known := lifecycle.ParseSignal(name)
		switch {
		case !known:
			errs = append(errs, configerr.New(configerr.Index(place, i), name, "is not a signal", "use traces, metrics or logs"))
		case signals.Has(signal):
			errs = append(errs, configerr.New(configerr.Index(place, i), name, "is listed already", "remove one of the two"))
		}
		signals |= signal
	}
	return signals, errors.Join(errs...)
}

// checkRate reports a rate outside 0 to 1, and NaN.
func checkRate(place string, rate float64) error {
	return configerr.InRange(place, rate, 0, 1)
}

func checkPriority(place string, priority lifecycle.Priority) error {
	return configerr.OneOf(place, priority, lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh, lifecycle.PriorityCritical)
}
