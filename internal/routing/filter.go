// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"errors"
	"fmt"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// filter is an entry of filtered_events. It takes precedence over all routes.
type filter struct {
	glob.Glob
	place string
}

// compileFilters parses filtered_events. A filter that matches every event is refused as a mistake.
func compileFilters(events []string) ([]filter, error) {
	var errs []error
	seen := map[string]int{}
	filters := make([]filter, 0, len(events))
	for i, event := range events {
		place := fmt.Sprintf("filtered_events[%d]", i)
		name := canonical(event)
		first, twice := seen[name]
		if !twice {
			seen[name] = i
		}
		switch err := checkEvent(place, event); {
		case err != nil:
			errs = append(errs, err)
			continue
		case name == glob.Any:
			errs = append(errs, configerr.New(place, event, "drops every event", "list only names that are not needed"))
			continue
		case twice:
			errs = append(errs, configerr.New(place, event, fmt.Sprintf("is listed already as filtered_events[%d]", first), "remove one of the two"))
		}
		filters = append(filters, filter{glob.New(name), place})
	}
	return filters, errors.Join(errs...)
}

// filterOf returns a filter that drops every event that a name or glob matches, or nil.
func filterOf(filters []filter, event string) *filter {
	for i := range filters {
		if filters[i].Covers(event) {
			return &filters[i]
		}
	}
	return nil
}
