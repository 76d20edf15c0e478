// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// batch is what is being measured. Its recorder's state is locked.
type batch struct {
	recorder *Recorder
	// now is the time at which the batch was received.
	now series.Instant
	out plan.Output
	// labeler finds the gauges of the current event.
	labeler labeler
	// measured is the number of events, of those whose fingerprints are known, that were measured or skipped. headsRead is how many
	// of them had heads.
	measured, headsRead int
	// chosen is whether the resource's service is that of the following values.
	chosen bool
	// service is a hash of the application, which senders' and routers' fingerprints do not include.
	service uint64
}

// enter selects a resource.
func (b *batch) enter(resource pcommon.Map) {
	b.recorder.item.Resource, b.chosen = resource, false
	namespace, service := application(resource)
	b.service = xxh3.HashStringSeed(service, xxh3.HashString(namespace))
}

// chooseApplication selects the resource's service for the following values.
func (b *batch) chooseApplication() {
	if b.chosen {
		return
	}
	b.chosen = true
	namespace, service := application(b.recorder.item.Resource)
	b.out.Writer.Application(b.out.Legible(namespace), b.out.Legible(service))
}

func application(resource pcommon.Map) (namespace, service string) {
	return eventrecord.Text(resource, lifecycle.AttrServiceNamespace), eventrecord.Text(resource, lifecycle.AttrServiceName)
}

// possible returns the time of an event or span in Unix nanoseconds, or the time of receipt if it is implausible: a time in
// the year 2200 would remain the latest one. Data from event_router and span_hierarchy has plausible times.
func (b *batch) possible(at int64) int64 {
	if at <= 0 || at > b.now.Wall+eventrecord.MaxFuture.Nanoseconds() {
		return b.now.Wall
	}
	return at
}

// tooOld reports whether the time is further in the past than max_event_age.
func (b *batch) tooOld(at int64) bool {
	limit := b.recorder.options.MaxEventAge
	if limit == 0 || b.now.Wall-at <= limit.Nanoseconds() {
		return false
	}
	b.skip(tally.TooOld, 1)
	return true
}

// skip counts items that are not measured.
func (b *batch) skip(reason tally.SkipReason, items int64) {
	b.out.Tally.Skipped[reason] += items
}
