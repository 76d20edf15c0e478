// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/state"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// Options select what is measured.
type Options struct {
	// EventSpans measures event spans.
	EventSpans bool
	// TrustReceived measures spans regardless of who made them.
	TrustReceived bool
	// MaxEventAge is the maximum age of an item when it is received; 0 accepts any age.
	MaxEventAge time.Duration
}

// Recorder measures batches.
type Recorder struct {
	options Options
	state   *state.State
	plans   *plan.Set

	// The fields below are guarded by the mutex of the state's series.
	item plan.Item
	// events reads the events of batches.
	events *eventbatch.Reader[plan.Shape]
	// fingerprints and heads are scratch buffers for those of a request's events. Only events in batches have heads.
	fingerprints []uint64
	heads        []head
	// spanKeys are those of the finished spans that are measured next.
	spanKeys []uint64
	// head is that of the current event, if its plan reads it.
	head eventbatch.Head
}

// New makes a recorder that measures into a state by plans.
func New(state *state.State, plans *plan.Set, options Options) *Recorder {
	return &Recorder{options: options, state: state, plans: plans, item: plan.NewItem(), events: eventbatch.NewReader(plans.ShapeOf)}
}

// Traces measures finished spans and, if configured, event spans that a component made. It fails as Logs does.
func (r *Recorder) Traces(now series.Instant, td ptrace.Traces, by origin.Maker) (tally.Batch, error) {
	b := r.begin(now)
	defer b.end()
	err := b.traces(td, by)
	return b.out.Tally, err
}

// Logs measures events. It fails if a batch of events is malformed. Then nothing is measured, unless the mistake is in an event's values:
// the events before it are measured.
func (r *Recorder) Logs(now series.Instant, ld plog.Logs) (tally.Batch, error) {
	b := r.begin(now)
	defer b.end()
	err := b.logs(ld)
	return b.out.Tally, err
}

// begin locks the state for a batch.
func (r *Recorder) begin(now series.Instant) *batch {
	b := &batch{recorder: r, now: now, out: plan.Output{Writer: r.state.Series.Begin(now)}}
	b.labeler = labeler{b, plan.Gauges{Set: r.plans, Writer: &b.out.Writer}}
	return b
}

// maxIdleEvents bounds the buffers that are kept after a large request.
const maxIdleEvents = 1 << 12

// end unlocks the state.
func (b *batch) end() {
	r := b.recorder
	r.item.Release()
	r.events.Close()
	r.fingerprints, r.heads = idle(r.fingerprints), idle(r.heads)
	b.out.Writer.End()
}

// idle returns the memory of a buffer for reuse.
func idle[T any](buffer []T) []T {
	if cap(buffer) > maxIdleEvents {
		return nil
	}
	return buffer[:0]
}
