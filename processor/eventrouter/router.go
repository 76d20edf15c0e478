// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

// errInFlight is retryable: when the other request has ended, it is known whether these events are duplicates.
var errInFlight = errors.New("events of this batch are being passed on by another request; try again")

// router is the processor. All its state is the set of events seen; every other part is immutable.
type router struct {
	id      component.ID
	storage *component.ID
	next    consumer.Logs

	table      *routing.Table
	scrubber   *scrub.Scrubber
	statistics *statistics
	shedder    *shedder
	// seen is nil when deduplication is off.
	seen *dedup.Set
	// maxWait bounds the wait for another request's outcome.
	maxWait time.Duration
	// memory is nil without storage, and before Start.
	memory *dedup.Memory
	health *health.Status // of the memory
	// stored is the memory's journal, for the metrics.
	stored    atomic.Pointer[journal.Journal]
	telemetry *telemetry
	log       *zap.Logger
	trusts    bool // accept stamps on received records
	now       func() time.Time
	// withdraw removes the router from the live pages; nil without them.
	withdraw func()
	// idle holds scratches, and batches the idle batches.
	idle, batches sync.Pool
}

// scratch is reusable memory for the work on a batch, with caches.
type scratch struct {
	normalizer eventrecord.Normalizer
	pass       *scrub.Pass
	// reader and decisions are for the events in batches. carried are the batches decided on; so many of them are applied.
	reader    *eventbatch.Reader[kind]
	decisions []byte
	carried   []carried
	applied   int
}

// maxIdleCarried bounds the memory for batches that an idle scratch keeps.
const maxIdleCarried = 16

// release ends the work on a batch.
func (w *scratch) release() {
	w.reader.Close()
	if cap(w.carried) > maxIdleCarried || cap(w.decisions) > maxIdleEvents {
		w.carried, w.decisions = nil, nil
	}
}

var _ processor.Logs = (*router)(nil)

func newRouter(set processor.Settings, cfg *Config, next consumer.Logs) (*router, error) {
	table, err := routing.Compile(cfg.Routing())
	if err != nil {
		return nil, err
	}
	scrubber := scrub.New(cfg.scrubbing())
	r := &router{
		id: set.ID, storage: cfg.Storage, next: next, log: set.Logger, trusts: cfg.TrustReceived, table: table, scrubber: scrubber,
		statistics: newStatistics(table), shedder: newShedder(cfg.Shedding), now: time.Now,
	}
	r.batches.New = func() any { return &batch{} }
	r.idle.New = func() any { return &scratch{pass: scrubber.NewPass(), reader: eventbatch.NewReader(r.kindOf)} }
	if cfg.Deduplicate.Enabled {
		r.seen, r.maxWait = dedup.New(cfg.Deduplicate.MaxEntries), cfg.Deduplicate.MaxWait
	}
	if r.telemetry, err = newTelemetry(set.TelemetrySettings, r.seen, r.statistics, r.shedder, journal.Observe(r.stored.Load)); err != nil {
		return nil, fmt.Errorf("telemetry of %s: %w", set.ID, err)
	}
	return r, nil
}

// Capabilities reports MutatesData: records are changed and removed.
func (*router) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// Start logs suspicious but valid settings, and restores the events seen by an earlier process.
func (r *router) Start(ctx context.Context, host component.Host) error {
	r.offerPages(host, r.id)
	for _, warning := range r.table.Warnings() {
		r.log.Warn(warning)
	}
	if r.storage == nil || r.seen == nil {
		return nil
	}
	owner := journal.Owner{Kind: component.KindProcessor, ID: r.id}
	memory, err := dedup.Open(ctx, host, *r.storage, owner, r.log, r.seen, nil)
	if err != nil {
		return err
	}
	r.memory = memory
	r.health = health.New(host)
	memory.Journal().ReportTo(r.health)
	r.stored.Store(memory.Journal())
	r.log.Info("Events seen are kept across restarts", zap.Stringer("storage", r.storage), zap.Int("events", r.seen.Len()))
	return nil
}

// Shutdown closes the storage. A second call does nothing.
func (r *router) Shutdown(ctx context.Context) error {
	r.health.Stop()
	if r.withdraw != nil {
		r.withdraw()
	}
	r.telemetry.shutdown()
	if r.memory == nil {
		return nil
	}
	memory := r.memory
	r.memory = nil
	r.stored.Store(nil)
	return memory.Close(ctx)
}

// ConsumeLogs takes ownership of logs. The next component's answer decides whether the events count as seen: after an error they
// are forgotten, so that the sender's retry is accepted. Its error is returned unchanged. If another request is passing on one of
// the batch's events, the batch waits for its outcome: the event is then a duplicate, or is passed on with this batch. After
// max_wait the batch is refused with a retryable error.
func (r *router) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	b := r.batches.Get().(*batch)
	defer func() {
		r.shedder.inFlight.Add(-int64(b.kept))
		b.reset()
		r.batches.Put(b)
	}()
	from := origin.Of(ctx)
	b.received = !r.trusts && from == origin.Received
	b.mixed = b.received || from == origin.LogDecoder
	if err := r.process(ctx, b, logs); err != nil {
		return err
	}
	if b.kept > 0 {
		if err := r.next.ConsumeLogs(origin.Mark(ctx, origin.Router), logs); err != nil {
			b.claim.Release()
			return err
		}
	}
	r.remember(ctx, b)
	b.claim.Commit()
	r.telemetry.record(ctx, b)
	return nil
}

// remember makes the keys of a batch durable. A failure is counted, not returned: the batch has been passed on, and an error would
// only cause a resend. After a crash a resend may then count as new.
func (r *router) remember(ctx context.Context, b *batch) {
	if r.memory == nil {
		return
	}
	if err := r.memory.Keep(ctx, b.claim, nil); err != nil {
		r.telemetry.notKept(ctx, len(b.events))
		r.log.Error("the events seen could not be stored", zap.Error(err))
	}
}

// claim takes the keys of a batch. While another request is passing on one of its events, it waits for that request's outcome, at
// most max_wait and no longer than the sender's context.
func (r *router) claim(ctx context.Context, keys []uint64) (dedup.Claim, error) {
	claim, outcome := r.seen.TryClaim(keys)
	if outcome == nil {
		return claim, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.maxWait, errInFlight)
	defer cancel()
	claim, err := r.seen.Claim(ctx, keys)
	if err != nil {
		err = context.Cause(ctx)
	}
	return claim, err
}

// process decides on the records of a batch and reduces logs to what the next component gets. After an error nothing is claimed.
func (r *router) process(ctx context.Context, b *batch, logs plog.Logs) error {
	w := r.idle.Get().(*scratch)
	defer func() {
		w.release()
		r.idle.Put(w)
	}()
	if err := r.decide(w, b, logs); err != nil {
		r.telemetry.refuse(ctx, len(b.events))
		return consumererror.NewPermanent(fmt.Errorf("event_router: %w", err))
	}
	if r.seen != nil {
		claim, err := r.claim(ctx, b.keys)
		if err != nil {
			r.telemetry.refuse(ctx, len(b.events))
			return err
		}
		b.claim = claim
	}
	r.apply(w, b, logs)
	return nil
}
