// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/seen"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// endedMemory is how long the active sets remember an id after its end. Events are rarely later than this, and an id
// opened again by one ages out.
const endedMemory = time.Hour

// scrapeInterval is the longest usual time between two scrapes: the default of Prometheus.
const scrapeInterval = time.Minute

// instance measures what all inputs of one component id receive, and flushes it on a ticker.
type instance struct {
	cfg       *Config
	id        component.ID
	registry  *series.Registry
	telemetry *telemetry
	logger    *zap.Logger
	next      consumer.Metrics
	exporter  exporter
	// health is nil before Start.
	health *health.Status

	plans *plans

	// started is when the process began, by the monotonic clock, and ranBefore how long those before it with the same state
	// had been running, in nanoseconds. They are set before the first input is started.
	started   time.Time
	ranBefore int64

	// These are guarded by the registry's lock.
	active     *active.Tracker
	statements statements
	// room is where the fields of what is being measured are kept.
	room []fieldValue
	// fingerprints is room for those of a batch.
	fingerprints []uint64
	// spansSeen and eventsSeen are apart, because events are many and would crowd out the spans.
	spansSeen, eventsSeen *seen.Set

	// running guards the flush loop; loop is nil while there is none.
	running sync.Mutex
	loop    *loop

	// persistence is set at the start, if there is a storage.
	persistence atomic.Pointer[persistence]

	// flushing keeps flushes apart: the registry has one open snapshot at most.
	flushing sync.Mutex
}

func newInstance(cfg *Config, settings connector.Settings, next consumer.Metrics) (*instance, error) {
	metrics := cfg.metrics()
	definitions := cfg.definitions(metrics)
	telemetry, err := newTelemetry(settings.TelemetrySettings, definitions)
	if err != nil {
		return nil, fmt.Errorf("make the connector's own metrics: %w", err)
	}
	isDelta := cfg.temporality() == delta
	instanceID := ""
	if id, found := settings.Resource.Attributes().Get(lifecycle.AttrServiceInstanceID); found {
		instanceID = id.AsString()
	}
	exemplars := 0
	if cfg.Exemplars.Enabled {
		exemplars = cfg.Exemplars.MaxPerDataPoint
	}
	ids := active.Options{
		MaxIDs: cfg.ActiveMaxIDs,
		MaxAge: cfg.ActiveMaxAge.Nanoseconds(),
		Memory: min(endedMemory, cfg.ActiveMaxAge).Nanoseconds(),
	}
	c := &instance{
		cfg: cfg,
		id:  settings.ID,
		registry: series.NewRegistry(definitions, series.Options{
			Delta:           isDelta,
			MaxSeries:       cfg.AggregationCardinalityLimit,
			MaxApplications: cfg.MaxApplications,
			Total:           shares.Size{Items: int64(cfg.MaxSeries), Bytes: cfg.MaxSeriesBytes},
			Exemplars:       exemplars,
			ExemplarStay:    (scrapeInterval + cfg.MetricsFlushInterval).Nanoseconds(),
			Expiration:      cfg.SeriesExpiration.Nanoseconds(),
		}, time.Now().UnixNano()),
		telemetry:  telemetry,
		logger:     settings.Logger,
		next:       next,
		exporter:   exporter{delta: isDelta, instanceID: instanceID, version: settings.BuildInfo.Version},
		active:     active.New(ids),
		statements: statements{},

		plans:   newPlans(cfg, metrics),
		started: time.Now(),

		spansSeen:  seen.New(cfg.Deduplicate.MaxEntries),
		eventsSeen: seen.New(cfg.Deduplicate.MaxEntries),
	}
	if err := telemetry.observe(journal.Observe(c.journalOf)); err != nil {
		telemetry.close()
		return nil, fmt.Errorf("make the connector's own metrics: %w", err)
	}
	return c, nil
}

// now returns the time by the wall clock, and how long the state has been running.
func (c *instance) now() series.Instant {
	now := time.Now()
	return series.Instant{Wall: now.UnixNano(), Running: c.ranBefore + int64(now.Sub(c.started))}
}

// journalOf is nil while there is no storage.
func (c *instance) journalOf() *journal.Journal {
	if kept := c.persistence.Load(); kept != nil {
		return kept.journal
	}
	return nil
}

// start takes up the stored state and begins to flush. Further calls do nothing.
func (c *instance) start(ctx context.Context, host component.Host) error {
	c.running.Lock()
	defer c.running.Unlock()
	if c.loop != nil {
		return nil
	}
	for _, warning := range c.cfg.warnings() {
		c.logger.Warn(warning)
	}
	c.health = health.New(host)
	if err := c.open(ctx, host); err != nil {
		return err
	}
	// Totals that were stored are shown at once: who reads the metrics just after a restart would find none of them.
	stored := c.persistence.Load() != nil
	c.loop = startLoop(c.cfg.MetricsFlushInterval, stored, c.flushOrWarn)
	return nil
}

// stop ends the loop, waits for a flush that is under way, and flushes what is left. When ctx ends before the waiting
// does, the flush under way is called off.
func (c *instance) stop(ctx context.Context) error {
	c.running.Lock()
	defer c.running.Unlock()
	defer c.telemetry.close()
	c.health.Stop()
	if c.loop != nil {
		c.loop.stop(ctx)
		c.loop = nil
	}
	err := c.flush(ctx)
	kept := c.persistence.Swap(nil)
	switch {
	case kept == nil && err != nil:
		return fmt.Errorf("the last flush was refused, and what it carried is lost: %w", err)
	case kept == nil:
		return nil
	case err != nil:
		c.logger.Warn("The last flush failed. Its content is stored and is sent after the next start.", zap.Error(err))
	}
	if err := kept.journal.Close(ctx); err != nil {
		return fmt.Errorf("close the storage of the metrics: %w", err)
	}
	return nil
}

func (c *instance) flushOrWarn(ctx context.Context) {
	if err := c.flush(ctx); err != nil {
		c.logger.Warn("The next consumer refused a flush. Nothing is lost; the next flush sends all of it.", zap.Error(err))
	}
}

// flush sends what there is to the next consumer. Of a refused flush nothing is lost, whether the error is permanent or
// not: values stay in their series, which are bounded, and go out with the next flush.
func (c *instance) flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()

	now := c.now()
	c.age(ctx, now)
	return errors.Join(c.deliver(ctx, now), c.snapshotIfDue(ctx, now))
}

// deliver sends a flush, and before it the one of which the process before did not learn whether it was delivered. That
// one goes out as it was until it is accepted: whoever has it already knows it by its interval.
func (c *instance) deliver(ctx context.Context, now series.Instant) error {
	if open := c.registry.Unanswered(); open != nil {
		if err := c.send(ctx, open); err != nil {
			return err
		}
		if err := c.accept(ctx, open); err != nil {
			return err
		}
	}
	snapshot := c.registry.Collect(now)
	c.telemetry.collected(ctx, &snapshot, c.registry.Size().Bytes)
	if err := c.send(ctx, &snapshot); err != nil {
		c.registry.Restore(&snapshot)
		return err
	}
	return c.accept(ctx, &snapshot)
}

// send hands a snapshot to the next consumer. What others have seen must not be undone by a crash, so it is stored first.
func (c *instance) send(ctx context.Context, snapshot *series.Snapshot) error {
	if snapshot.IsEmpty() {
		return nil
	}
	err := c.commit(ctx)
	if err == nil {
		if err = c.next.ConsumeMetrics(ctx, c.exporter.metrics(snapshot)); err != nil {
			c.health.Set(c, fmt.Errorf("the next component refuses a flush: %w", err))
		} else {
			c.health.Set(c, nil)
		}
	}
	if err != nil {
		c.telemetry.refused(ctx)
		return err
	}
	c.telemetry.flushed(ctx, time.Now())
	return nil
}

// accept stores that a snapshot was delivered, or a delta would go out again.
func (c *instance) accept(ctx context.Context, snapshot *series.Snapshot) error {
	c.registry.Accept(snapshot)
	return c.commit(ctx)
}

// age drops the ids that were not heard of for too long, and brings the ages of active tasks up to date.
func (c *instance) age(ctx context.Context, now series.Instant) {
	w := c.registry.Begin(now)
	evictions := c.active.Age(now, gaugeFinder{c.plans, &w})
	remembered := c.active.Len()
	w.End()
	c.telemetry.aged(ctx, remembered, &evictions)
}
