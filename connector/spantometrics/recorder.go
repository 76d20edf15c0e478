// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// recorder measures one batch. It holds the registry's lock from record to end. What it reads of the batch's pdata it
// keeps no longer than that.
type recorder struct {
	instance *instance
	// writer is for the series of the registry.
	writer series.Writer
	// now is when the batch came, by the collector's clock.
	now   series.Instant
	tally tally
	// measured is the span or event at hand.
	measured measurement
	// event is the newest event, and labeler finds its gauges.
	event   event
	labeler labeler
	// taskTrace and taskSpan are those of the newest exemplar of an event.
	taskTrace pcommon.TraceID
	taskSpan  pcommon.SpanID
	// fingerprints are those of the scope at hand.
	fingerprints []uint64
	// service is a hash of the application: what senders and routers make fingerprints of does not name it.
	service uint64
}

// tally counts what became of the batch.
type tally struct {
	spans, events int64
	skipped       [skipReasonCount]int64
	// replaced counts the values of labels that stand in a series as something else.
	replaced [replacedReasonCount]int64
}

// maxIdleFingerprints bounds what is kept of a large batch.
const maxIdleFingerprints = 1 << 13

// measure takes in one batch, and returns when it is stored, if there is a storage. After an error the same batch can be
// given again: what it holds counts once.
func (c *instance) measure(ctx context.Context, batch func(*recorder)) error {
	if err := c.admit(); err != nil {
		return err
	}
	c.record(ctx, batch)
	return c.commit(ctx)
}

func (c *instance) record(ctx context.Context, batch func(*recorder)) {
	now := c.now()
	r := &recorder{instance: c, writer: c.registry.Begin(now), now: now, fingerprints: c.fingerprints}
	r.measured.values, r.measured.statements = c.room, c.statements
	r.labeler = labeler{r, gaugeFinder{c.plans, &r.writer}}
	defer func() {
		c.room = r.measured.release()
		if cap(r.fingerprints) <= maxIdleFingerprints {
			c.fingerprints = r.fingerprints
		}
		r.writer.End()
		c.telemetry.consumed(ctx, &r.tally)
	}()
	batch(r)
}

// enter turns to what a resource has.
func (r *recorder) enter(resource pcommon.Map) {
	r.measured.resource = resource
	namespace, service := r.application()
	r.service = xxh3.HashStringSeed(service, xxh3.HashString(namespace))
}

// chooseApplication makes the values that follow those of the resource's service.
func (r *recorder) chooseApplication() {
	namespace, service := r.application()
	r.writer.Application(r.legible(namespace), r.legible(service))
}

func (r *recorder) application() (namespace, service string) {
	return text(r.measured.resource, lifecycle.AttrServiceNamespace), text(r.measured.resource, lifecycle.AttrServiceName)
}

// text returns a string attribute, or empty. It belongs to the pdata.
func text(attrs pcommon.Map, key string) string {
	if value, found := attrs.Get(key); found {
		return value.Str()
	}
	return ""
}

// possible returns a time of an event or span, in Unix nanoseconds, or that of its receipt if no clock can have shown it: a value
// of the year 2200 would be the newest for ever. What comes from event_router and span_hierarchy has possible times.
func (r *recorder) possible(at int64) int64 {
	if at <= 0 || at > r.now.Wall+eventrecord.MaxFuture.Nanoseconds() {
		return r.now.Wall
	}
	return at
}
