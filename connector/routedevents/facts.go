// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// facts makes one record per fact, whichever input reports it: events report the start of tasks and what the engine announces once,
// finished spans the end of tasks and attempts. It remembers which facts are recorded.
type facts struct {
	id        component.ID
	log       *zap.Logger
	storage   *component.ID
	once      bool
	trusts    bool
	lines     bool
	records   map[string]bool
	severity  plog.SeverityNumber
	telemetry *telemetry

	// events and spans are set for the connected inputs. They are set while the collector builds its pipelines, before the start.
	events, spans bool

	seen    *dedup.Set
	callers *callers
	readers sync.Pool // of *eventbatch.Reader[kind]

	running sync.Mutex // guards the following fields; the memories are read without it between start and stop
	started bool
	health  *health.Status
	memory  *dedup.Memory // stores seen and callers; nil without storage

	unlisted sync.Map // facts of which a missing entry in records was reported
}

func newFacts(cfg *Config, set connector.Settings) (*facts, error) {
	f := &facts{
		id: set.ID, log: set.Logger, storage: cfg.Storage, once: cfg.Announcements == announcementsOnce, trusts: cfg.TrustReceived,
		lines: cfg.LogBody == bodyJSON, records: make(map[string]bool, len(cfg.Records)),
		seen: dedup.New(cfg.Deduplicate.MaxEntries), callers: newCallers(cfg.Deduplicate.MaxEntries),
	}
	f.readers.New = func() any { return eventbatch.NewReader(kindOf) }
	for _, fact := range cfg.Records {
		f.records[fact] = true
	}
	f.severity, _ = severityNumber(cfg.MinSeverity) // Validate has checked it
	var err error
	if f.telemetry, err = newTelemetry(set, "logs"); err != nil {
		return nil, err
	}
	if err := f.telemetry.observe(f.known, journal.Observe(f.journal)); err != nil {
		f.telemetry.shutdown()
		return nil, fmt.Errorf("telemetry of %s: %w", set.ID, err)
	}
	return f, nil
}

// known returns how many facts are remembered; false while none are recorded.
func (f *facts) known() (int64, bool) {
	f.running.Lock()
	defer f.running.Unlock()
	if !f.started || f.asAnnounced() {
		return 0, false
	}
	return int64(f.seen.Len()), true
}

// journal returns nil without storage, and before Start.
func (f *facts) journal() *journal.Journal {
	f.running.Lock()
	defer f.running.Unlock()
	if f.memory == nil {
		return nil
	}
	return f.memory.Journal()
}

// asAnnounced reports whether every announcement becomes a record: by configuration, or because no input has finished spans.
func (f *facts) asAnnounced() bool { return !f.once || !f.spans }

// start restores the facts that an earlier process has recorded. Further calls do nothing.
func (f *facts) start(ctx context.Context, host component.Host) error {
	f.running.Lock()
	defer f.running.Unlock()
	if f.started {
		return nil
	}
	f.started = true
	if f.asAnnounced() {
		f.sayWhy()
		return nil
	}
	if f.storage == nil {
		return nil
	}
	owner := journal.Owner{Kind: component.KindConnector, ID: f.id}
	memory, err := dedup.Open(ctx, host, *f.storage, owner, f.log, f.seen, f.callers.restore)
	if err != nil {
		return err
	}
	f.memory = memory
	f.health = health.New(host)
	memory.Journal().ReportTo(f.health)
	f.log.Info("Recorded facts are kept across restarts", zap.Stringer("storage", f.storage), zap.Int("facts", f.seen.Len()))
	return nil
}

// sayWhy logs settings that are valid but probably not intended.
func (f *facts) sayWhy() {
	switch {
	case f.once && f.events:
		f.log.Warn("Each announcement of the engine becomes a record, two or three a fact, because no finished spans come to this connector. " +
			"Name it among the exporters of the pipeline with span_hierarchy, or set announcements: all.")
	case !f.once && f.spans:
		f.log.Warn("Finished spans come to this connector and become no records, because announcements is all.")
	}
}

func (f *facts) stop(ctx context.Context) error {
	f.running.Lock()
	defer f.running.Unlock()
	f.health.Stop()
	f.telemetry.shutdown()
	if f.memory == nil {
		return nil
	}
	memory := f.memory
	f.memory = nil
	return memory.Close(ctx)
}

// deliver passes on the records of those candidates that are new. An error of the next component is returned, and the same batch
// may be sent again; one of the storage is counted, because the records have been passed on.
func (f *facts) deliver(ctx context.Context, next func(context.Context, plog.Logs) error, b *batch) error {
	claim, err := f.seen.Claim(ctx, b.keys)
	if err != nil {
		return fmt.Errorf("a fact of this batch is being recorded by another request: %w", err)
	}
	made := f.build(b)
	if b.counts.converted > 0 {
		if err := next(ctx, made); err != nil {
			claim.Release()
			return err
		}
	}
	f.keep(ctx, claim, b)
	claim.Commit()
	f.telemetry.record(ctx, b.counts)
	return nil
}

func (f *facts) keep(ctx context.Context, claim dedup.Claim, b *batch) {
	if f.memory == nil {
		return
	}
	if err := f.memory.Keep(ctx, claim, b.callers); err != nil {
		f.telemetry.notKept(ctx, b.counts.converted)
		f.log.Error("the recorded facts could not be stored", zap.Error(err))
	}
}

// below reports whether a severity is below min_severity.
func (f *facts) below(severity plog.SeverityNumber) bool { return severity < f.severity }

// wants reports whether a fact becomes a record, and counts it if it is below min_severity.
func (f *facts) wants(fact string, c *counts) bool {
	if !f.records[fact] {
		return false
	}
	if f.below(plog.SeverityNumber(lifecycle.SeverityOf(fact))) {
		c.belowSeverity++
		return false
	}
	return true
}
