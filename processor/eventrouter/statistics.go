// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

const (
	// maxOwnNames is how many application names have counters of their own: senders choose names, and each becomes a series.
	maxOwnNames = 500
	// otherNames is the label of the rest.
	otherNames = "other"
)

// outcome is the set of signals that an event was kept for, or the reason why it was dropped.
type outcome uint8

// firstDrop is the first outcome of a dropped event. Those before are sets of signals.
const firstDrop = outcome(lifecycle.SignalsAll) + 1

// dropReasons are all reasons to drop an event, in the order of their outcomes.
var dropReasons = [...]routing.Reason{
	reasonNoName, reasonLongName, reasonNotTasker, reasonMalformed, routing.ReasonNoRoute, routing.ReasonDisabled, routing.ReasonFiltered, routing.ReasonSampled,
	reasonDuplicate, reasonShed,
}

const outcomes = int(firstDrop) + len(dropReasons)

func (e *event) outcome() outcome {
	if e.reason == routing.ReasonNone {
		return outcome(e.signals)
	}
	for i, reason := range dropReasons {
		if e.reason == reason {
			return firstDrop + outcome(i)
		}
	}
	return outcome(e.signals)
}

// String returns the label of the outcome: "traces,metrics", or "duplicate".
func (o outcome) String() string {
	if o < firstDrop {
		return lifecycle.Signals(o).String()
	}
	return string(dropReasons[o-firstDrop])
}

// nameCounts counts the events of one name.
type nameCounts struct {
	by [outcomes]atomic.Int64
	// shed runs parallel to sheddable.
	shed [len(sheddable)]atomic.Int64
}

// count adds an event that was decided on.
func (c *nameCounts) count(e *event, o outcome) {
	c.by[o].Add(1)
	if e.reason == reasonShed {
		c.shed[indexOf(e.priority)].Add(1)
	}
}

// statistics counts events by name and outcome.
type statistics struct {
	names  *namecache.Cache[*nameCounts]
	others *nameCounts
}

// newStatistics reserves counters for Tasker's own names and those of exact routes, so that other names cannot displace them.
func newStatistics(table *routing.Table) *statistics {
	others := new(nameCounts)
	known := lifecycle.Names()
	for _, entry := range table.Entries() {
		known = append(known, entry.Event)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	s := &statistics{
		others: others,
		names:  namecache.NewBounded(len(known)+maxOwnNames, func(string) *nameCounts { return new(nameCounts) }, others),
	}
	for _, name := range known {
		s.names.Get(name)
	}
	return s
}

// of returns the counters of a name.
func (s *statistics) of(name string) *nameCounts { return s.names.Get(name) }

// observe leaves out zeros, so that only what occurs becomes a series.
func (s *statistics) observe(_ context.Context, observer metric.Int64Observer) error {
	for name, counts := range s.names.All() {
		counts.observe(observer, name)
	}
	s.others.observe(observer, otherNames)
	return nil
}

// observeShed is observe for the events that were shed.
func (s *statistics) observeShed(_ context.Context, observer metric.Int64Observer) error {
	for name, counts := range s.names.All() {
		counts.observeShed(observer, name)
	}
	s.others.observeShed(observer, otherNames)
	return nil
}

func (c *nameCounts) observeShed(observer metric.Int64Observer, name string) {
	for i := range c.shed {
		if n := c.shed[i].Load(); n > 0 {
			observer.Observe(n, metric.WithAttributeSet(attribute.NewSet(
				attribute.String("event", name), attribute.String("priority", string(sheddable[i])))))
		}
	}
}

func (c *nameCounts) observe(observer metric.Int64Observer, name string) {
	for i := range c.by {
		if n := c.by[i].Load(); n > 0 {
			observer.Observe(n, metric.WithAttributeSet(attribute.NewSet(
				attribute.String("event", name), attribute.String("decision", outcome(i).String()))))
		}
	}
}
