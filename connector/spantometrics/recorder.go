package spantometrics

import (
	"context"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// recorder measures one batch. It holds the registry's lock from record to end. What it reads of the batch's pdata it
// keeps no longer than that.
type recorder struct {
	*instance
	series.Writer
	// now is when the batch came, by the collector's clock.
	now   int64
	tally tally
	// resource is that of the spans or records being measured, and event the event being measured.
	resource pcommon.Map
	event    event
	// service is a hash of the application: fingerprints are unique in one application only.
	service uint64
}

// tally counts what became of the batch.
type tally struct {
	spans, events int64
	skipped       [skipReasonCount]int64
}

// record begins a batch.
func (c *instance) record(now int64) *recorder {
	return &recorder{instance: c, Writer: c.registry.Begin(now), now: now}
}

// end finishes the batch and reports what became of it.
func (r *recorder) end(ctx context.Context) {
	r.End()
	r.telemetry.consumed(ctx, &r.tally)
}

// chooseApplication makes the values that follow those of the resource's service.
func (r *recorder) chooseApplication() {
	namespace, service := text(r.resource, lifecycle.AttrServiceNamespace), text(r.resource, lifecycle.AttrServiceName)
	r.Application(namespace, service)
	r.service = xxh3.HashStringSeed(service, xxh3.HashString(namespace))
}

// text is a string attribute, or empty. It belongs to the pdata.
func text(attrs pcommon.Map, key string) string {
	if value, found := attrs.Get(key); found {
		return value.Str()
	}
	return ""
}
