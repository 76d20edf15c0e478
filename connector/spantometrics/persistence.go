// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

const (
	// snapshotAfter is how many bytes of changes are written, at least, before a snapshot takes their place.
	snapshotAfter = 4 << 20
	// snapshotFlushes is after how many flushes a snapshot is made, so that a quiet instance starts quickly too.
	snapshotFlushes = 240
)

// persistence is the state on the storage. It is nil while there is none.
type persistence struct {
	journal *journal.Journal
	log     *records.Log
	// snapshotBytes is the size of the newest snapshot; before and flushes are what was written and flushed when it was
	// made. The flush lock guards them.
	snapshotBytes, before int64
	flushes               int
}

// open reads the state of the process before, and from then on keeps what changes.
func (c *instance) open(ctx context.Context, host component.Host) error {
	c.telemetry.started(ctx)
	if c.cfg.StorageID == nil {
		c.logger.Info("The numbers are in memory only: a restart begins new series. With the setting storage they survive.")
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
	kept := &persistence{journal: opened, log: records.New(opened.Append)}
	c.persistence.Store(kept)
	c.setLog(kept.log)
	// The state is written anew at once: so what was written by another configuration, or was damaged, does no harm again.
	// On a full disk that has to wait: nothing is acknowledged until it is written.
	if err := c.snapshot(ctx, kept, c.now()); err != nil {
		c.logger.Warn("The state could not be written at startup; the next change tries again.", zap.Error(err))
	}
	return nil
}

func (c *instance) setLog(log *records.Log) {
	c.registry.SetLog(log)
	c.active.SetLog(log)
	c.spansSeen.SetLog(log, records.Spans)
	c.eventsSeen.SetLog(log, records.Events)
}

// replay makes the changes that the process before wrote down.
func (c *instance) replay(ctx context.Context, from *journal.Journal) error {
	p := &replayer{Replay: c.registry.Replay(), instance: c}
	if err := from.Replay(ctx, func(entry []byte) error { return records.Read(entry, p) }); err != nil {
		return fmt.Errorf("read the stored metrics: %w", err)
	}
	c.ranBefore = p.Running()
	if cut := p.End(); cut > 0 {
		c.telemetry.cut(ctx, cut)
		c.logger.Warn("The stored state has more series than max_series or max_series_bytes allow. Those that had no value for the longest time were added to the overflow series of their application; no value is lost.",
			zap.Int("series_cut", cut))
	}
	w := c.registry.Begin(c.now())
	c.active.Resume(gaugeFinder{c.plans, &w})
	w.End()
	if lost := p.Lost(); len(lost) > 0 {
		c.logger.Warn("Stored values do not fit the configuration any more (other buckets, another temporality, or a metric that is gone). These metrics begin anew.",
			zap.Strings("metrics", lost))
	}
	c.exporter.instanceID = chooseIdentity(c.exporter.instanceID, p.identity)
	stats := from.Stats()
	c.logger.Info("The metrics go on from the stored state.", zap.Int("segments", stats.Segments), zap.Int64("bytes", stats.Bytes),
		zap.Int("spans_remembered", c.spansSeen.Len()), zap.Int("events_remembered", c.eventsSeen.Len()))
	return nil
}

// chooseIdentity returns the service.instance.id under which the metrics go on. The collector makes up a UUID at each start
// unless it is given an id: under a new one every series would seem to be another process's. So the stored id is kept,
// unless somebody has given the collector one.
func chooseIdentity(own, stored string) string {
	if _, err := uuid.Parse(own); stored != "" && (own == "" || err == nil) {
		return stored
	}
	return own
}

// snapshot puts the whole state in the place of what was written so far. No flush may be under way.
func (c *instance) snapshot(ctx context.Context, kept *persistence, now series.Instant) error {
	var entries [][]byte
	size := int64(0)
	log := records.New(func(entry []byte) {
		entries = append(entries, slices.Clone(entry))
		size += int64(len(entry))
	})
	w := c.registry.Begin(now)
	log.Begin(now)
	log.Identity(&records.Identity{Instance: c.exporter.instanceID, Delta: c.exporter.delta})
	w.Write(log)
	c.active.Write(log)
	c.spansSeen.Write(log, records.Spans)
	c.eventsSeen.Write(log, records.Events)
	log.End()
	kept.journal.Checkpoint(entries)
	kept.before, kept.snapshotBytes, kept.flushes = kept.log.Written(), size, 0
	w.End()
	if err := kept.journal.Commit(ctx); err != nil {
		return fmt.Errorf("store a snapshot of the metrics: %w", err)
	}
	return nil
}

// snapshotIfDue makes a snapshot when the changes since the last one have become more than the state.
func (c *instance) snapshotIfDue(ctx context.Context, now series.Instant) error {
	kept := c.persistence.Load()
	if kept == nil {
		return nil
	}
	kept.flushes++
	written := c.registry.Written() - kept.before
	if written < max(snapshotAfter, 2*kept.snapshotBytes) && (kept.flushes < snapshotFlushes || written == 0) {
		return nil
	}
	return c.snapshot(ctx, kept, now)
}

// errBacklog is the answer while the storage does not take what waits.
var errBacklog = errors.New("the storage of span_to_metrics takes no writes, and too much waits for it; send it again later")

// admit refuses a batch while too much waits to be stored.
func (c *instance) admit() error {
	kept := c.persistence.Load()
	if kept == nil || kept.journal.Backlog() <= journal.MaxBacklog {
		return nil
	}
	return errBacklog
}

// commit waits until all that was measured so far is stored. After an error it is measured all the same, and stored with
// the next commit: the same batch, sent again, changes nothing and is then answered by whether it is stored.
func (c *instance) commit(ctx context.Context) error {
	kept := c.persistence.Load()
	if kept == nil {
		return nil
	}
	if err := kept.journal.Commit(ctx); err != nil {
		return fmt.Errorf("what was measured is not stored yet, send it again: %w", err)
	}
	return nil
}

// replayer makes the changes of entries in an instance.
type replayer struct {
	*series.Replay
	*instance
	identity string
}

func (p *replayer) Identity(identity records.Identity) {
	p.identity = identity.Instance
	p.Temporality(identity.Delta)
}

func (p *replayer) ActiveTask(task records.ActiveTask) {
	p.active.ReplayTask(&task, p.Gauge(task.Gauge), p.Gauge(task.Age))
}

func (p *replayer) ActiveStep(step records.ActiveStep) {
	p.active.ReplayStep(&step, p.Gauge(step.Gauge))
}

func (p *replayer) ForgetTask(trace [16]byte) { p.active.ReplayForgetTask(trace) }

func (p *replayer) ForgetStep(trace [16]byte, step uint64) { p.active.ReplayForgetStep(trace, step) }

func (p *replayer) Seen(things records.Things, key uint64) {
	switch things {
	case records.Spans:
		p.spansSeen.Add(key)
	case records.Events:
		p.eventsSeen.Add(key)
	}
}
