// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// offerPages shows the routes in force and the events' outcomes on the live pages, if configured.
func (r *router) offerPages(host component.Host, id component.ID) {
	if registry := livedata.Find(host); registry != nil {
		r.withdraw = registry.OfferRoutes(id, routes{r.table, r.statistics})
	}
}

// routes gives the live pages access to the router.
type routes struct {
	table      *routing.Table
	statistics *statistics
}

// Table returns the routes in force.
func (r routes) Table() *routing.Table { return r.table }

// Counts returns the events by outcome.
func (r routes) Counts() []livedata.EventCount {
	var counts []livedata.EventCount
	for name, by := range r.statistics.names.All() {
		counts = by.appendTo(counts, name)
	}
	return r.statistics.others.appendTo(counts, otherNames)
}

func (c *nameCounts) appendTo(counts []livedata.EventCount, name string) []livedata.EventCount {
	for i := range c.by {
		if n := c.by[i].Load(); n > 0 {
			o := outcome(i)
			counts = append(counts, livedata.EventCount{Event: name, Outcome: o.String(), Dropped: o >= firstDrop, Count: n})
		}
	}
	return counts
}
