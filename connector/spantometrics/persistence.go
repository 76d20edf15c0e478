// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/state"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

const (
	// snapshotAfter is the minimum number of bytes of changes after which a snapshot replaces them.
	snapshotAfter = 4 << 20
	// snapshotFlushes is the number of flushes after which a snapshot is made, so that an idle instance starts quickly.
	snapshotFlushes = 240
)

// persistence stores the state. All methods do nothing without one, and may be called concurrently unless they say
// otherwise.
type persistence struct {
	journal *journal.Journal
	state   *state.State
	log     *records.Log
	// identity is stored with each snapshot.
	identity records.Identity
	// snapshotBytes is the size of the latest snapshot; before and flushes are the bytes written and flushes made when it
	// was made. The flush mutex guards them.
	snapshotBytes, before int64
	flushes               int
}

// open restores the stored state and from then on stores changes.
func (c *instance) open(ctx context.Context, host component.Host) error {
	c.telemetry.started(ctx)
	if c.cfg.StorageID == nil {
		c.logger.Info("The metrics are in memory only: a restart resets all series. Configure storage to keep them.")
		return nil
	}
	opened, err := journal.Open(ctx, host, *c.cfg.StorageID, journal.Owner{Kind: component.KindConnector, ID: c.id}, c.logger)
	if err != nil {
		return err
	}
	if err := c.replay(ctx, opened); err != nil {
		return errors.Join(err, opened.Close(ctx))
	}
	opened.ReportTo(c.health)
	kept := &persistence{
		journal: opened, state: c.state, log: records.New(opened.Append),
		identity: records.Identity{Instance: c.converter.InstanceID, Delta: c.converter.Delta},
	}
	c.persistence.Store(kept)
	c.state.SetLog(kept.log)
	// Write the state anew immediately, which removes entries that are damaged or from another configuration. On a full
	// disk that is postponed: nothing is acknowledged before it is written.
	if err := kept.snapshot(ctx, c.clock.now()); err != nil {
		c.logger.Warn("The state could not be written at startup. The next change retries.", zap.Error(err))
	}
	return nil
}

// replay restores the logged changes.
func (c *instance) replay(ctx context.Context, from *journal.Journal) error {
	p := c.state.Replay()
	if err := from.Replay(ctx, func(entry []byte) error { return records.Read(entry, p) }); err != nil {
		return fmt.Errorf("read the stored metrics: %w", err)
	}
	c.clock.ranBefore = p.Running()
	if cut := p.End(); cut > 0 {
		c.telemetry.cut(ctx, cut)
		c.logger.Warn("The stored state has more series than max_series or max_series_bytes allow. Those without a value for the longest time were added to the overflow series of their application; no value is lost.",
			zap.Int("series_cut", cut))
	}
	p.Resume(c.clock.now())
	if lost := p.Lost(); len(lost) > 0 {
		c.logger.Warn("Stored values do not fit the configuration (other buckets, another temporality, or a removed metric). These metrics are reset.",
			zap.Strings("metrics", lost))
	}
	c.converter.InstanceID = chooseIdentity(c.converter.InstanceID, p.Instance)
	stats := from.Stats()
	c.logger.Info("The metrics continue from the stored state.", zap.Int("segments", stats.Segments), zap.Int64("bytes", stats.Bytes),
		zap.Int("spans_remembered", c.state.Spans.Len()), zap.Int("events_remembered", c.state.Events.Len()))
	return nil
}

// chooseIdentity returns the service.instance.id of the metrics. Unless it is configured, the collector generates a UUID at
// each start, under which every series would appear to belong to a new process. So the stored ID is kept unless one is
// configured.
func chooseIdentity(own, stored string) string {
	if _, err := uuid.Parse(own); stored != "" && (own == "" || err == nil) {
		return stored
	}
	return own
}

// snapshot replaces the stored changes by the whole state. No flush may be running.
func (p *persistence) snapshot(ctx context.Context, now series.Instant) error {
	p.state.Snapshot(now, &p.identity, func(entries [][]byte, size int64) {
		p.journal.Checkpoint(entries)
		p.before, p.snapshotBytes, p.flushes = p.log.Written(), size, 0
	})
	if err := p.journal.Commit(ctx); err != nil {
		return fmt.Errorf("store a snapshot of the metrics: %w", err)
	}
	return nil
}

// snapshotIfDue makes a snapshot when the changes since the last one exceed its size. The caller runs a flush.
func (p *persistence) snapshotIfDue(ctx context.Context, now series.Instant) error {
	if p == nil {
		return nil
	}
	p.flushes++
	written := p.state.Series.Written() - p.before
	if written < max(snapshotAfter, 2*p.snapshotBytes) && (p.flushes < snapshotFlushes || written == 0) {
		return nil
	}
	return p.snapshot(ctx, now)
}

// errBacklog is the retryable error while too much waits to be stored.
var errBacklog = errors.New("writes to the storage of span_to_metrics fail, and too much data waits for it; retry later")

// admit rejects a batch while too much waits to be stored.
func (p *persistence) admit() error {
	if p == nil || p.journal.Backlog() <= journal.MaxBacklog {
		return nil
	}
	return errBacklog
}

// commit waits until everything measured so far is stored. After an error it remains measured and is stored with the next
// commit: a retry of the batch changes nothing and reports whether it is stored.
func (p *persistence) commit(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if err := p.journal.Commit(ctx); err != nil {
		return fmt.Errorf("the measured data is not stored yet, retry: %w", err)
	}
	return nil
}
