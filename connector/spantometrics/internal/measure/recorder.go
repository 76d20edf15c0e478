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
	// fingerprints is a scratch buffer for those of a scope's records.
	fingerprints []uint64
}

// New makes a recorder that measures into a state by plans.
func New(state *state.State, plans *plan.Set, options Options) *Recorder {
	return &Recorder{options: options, state: state, plans: plans, item: plan.NewItem()}
}

// Traces measures finished spans and, if configured, event spans that a component made.
func (r *Recorder) Traces(now series.Instant, td ptrace.Traces, by origin.Maker) tally.Batch {
	b := r.begin(now)
	defer b.end()
	b.traces(td, by)
	return b.out.Tally
}

// Logs measures events.
func (r *Recorder) Logs(now series.Instant, ld plog.Logs) tally.Batch {
	b := r.begin(now)
	defer b.end()
	b.logs(ld)
	return b.out.Tally
}

// begin locks the state for a batch.
func (r *Recorder) begin(now series.Instant) *batch {
	b := &batch{recorder: r, now: now, out: plan.Output{Writer: r.state.Series.Begin(now)}}
	b.labeler = labeler{b, plan.Gauges{Set: r.plans, Writer: &b.out.Writer}}
	return b
}

// maxIdleFingerprints bounds the buffer that is kept after a large batch.
const maxIdleFingerprints = 1 << 13

// end unlocks the state.
func (b *batch) end() {
	b.recorder.item.Release()
	if cap(b.recorder.fingerprints) > maxIdleFingerprints {
		b.recorder.fingerprints = nil
	}
	b.out.Writer.End()
}
