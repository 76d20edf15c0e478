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

// recorder measures one batch. It holds the registry's mutex between record and end, and does not retain pdata afterwards.
type recorder struct {
	instance *instance
	// writer records into the registry.
	writer series.Writer
	// now is the time at which the batch was received.
	now   series.Instant
	tally tally
	// measured is the current span or event.
	measured measurement
	// event is the current event, and labeler finds its gauges.
	event   event
	labeler labeler
	// taskTrace and taskSpan cache the latest exemplar of an event.
	taskTrace pcommon.TraceID
	taskSpan  pcommon.SpanID
	// fingerprints are those of the current scope's records.
	fingerprints []uint64
	// service is a hash of the application, which senders' and routers' fingerprints do not include.
	service uint64
}

// tally counts the outcomes of a batch.
type tally struct {
	spans, events int64
	skipped       [skipReasonCount]int64
	// replaced counts label values that were replaced or cut.
	replaced [replacedReasonCount]int64
}

// maxIdleFingerprints bounds the buffer that is kept after a large batch.
const maxIdleFingerprints = 1 << 13

// measure records a batch, and returns when it is stored, if there is a storage. After an error the batch may be retried:
// its items are counted once.
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

// enter selects a resource.
func (r *recorder) enter(resource pcommon.Map) {
	r.measured.resource = resource
	namespace, service := r.application()
	r.service = xxh3.HashStringSeed(service, xxh3.HashString(namespace))
}

// chooseApplication selects the resource's service for the following values.
func (r *recorder) chooseApplication() {
	namespace, service := r.application()
	r.writer.Application(r.legible(namespace), r.legible(service))
}

func (r *recorder) application() (namespace, service string) {
	return text(r.measured.resource, lifecycle.AttrServiceNamespace), text(r.measured.resource, lifecycle.AttrServiceName)
}

// text returns a string attribute; empty if absent. It belongs to the pdata.
func text(attrs pcommon.Map, key string) string {
	if value, found := attrs.Get(key); found {
		return value.Str()
	}
	return ""
}

// possible returns the time of an event or span in Unix nanoseconds, or the time of receipt if it is implausible: a time in
// the year 2200 would remain the latest one. Data from event_router and span_hierarchy has plausible times.
func (r *recorder) possible(at int64) int64 {
	if at <= 0 || at > r.now.Wall+eventrecord.MaxFuture.Nanoseconds() {
		return r.now.Wall
	}
	return at
}
