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
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/export"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/measure"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/state"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// instance measures what all inputs of a component ID receive, and flushes periodically.
type instance struct {
	cfg       *Config
	id        component.ID
	state     *state.State
	recorder  *measure.Recorder
	telemetry *telemetry
	logger    *zap.Logger
	next      consumer.Metrics
	converter export.Converter
	// health is nil before Start.
	health *health.Status

	clock clock

	// running guards loop, which is nil while no flush loop runs.
	running sync.Mutex
	loop    *loop

	// persistence is set by start if there is a storage.
	persistence atomic.Pointer[persistence]

	// flushing serializes flushes: the registry has at most one open snapshot.
	flushing sync.Mutex
}

func newInstance(cfg *Config, settings connector.Settings, next consumer.Metrics) (*instance, error) {
	metrics := declaration.Metrics(&cfg.Config)
	definitions := declaration.Definitions(&cfg.Config, metrics)
	telemetry, err := newTelemetry(settings.TelemetrySettings, definitions)
	if err != nil {
		return nil, fmt.Errorf("create the connector's internal telemetry: %w", err)
	}
	instanceID := ""
	if id, found := settings.Resource.Attributes().Get(lifecycle.AttrServiceInstanceID); found {
		instanceID = id.AsString()
	}
	plans := plan.Compile(&cfg.Config, metrics)
	c := &instance{
		cfg:       cfg,
		id:        settings.ID,
		state:     state.New(definitions, plans, cfg.stateOptions(), time.Now().UnixNano()),
		telemetry: telemetry,
		logger:    settings.Logger,
		next:      next,
		converter: export.Converter{Delta: cfg.temporality() == delta, InstanceID: instanceID, Version: settings.BuildInfo.Version},
		clock:     clock{started: time.Now()},
	}
	c.recorder = measure.New(c.state, plans, measure.Options{
		EventSpans: cfg.EventSpans, TrustReceived: cfg.TrustReceived, MaxEventAge: cfg.MaxEventAge,
	})
	if err := telemetry.observe(journal.Observe(c.journalOf)); err != nil {
		telemetry.close()
		return nil, fmt.Errorf("create the connector's internal telemetry: %w", err)
	}
	return c, nil
}

// measure records a batch, and returns when it is stored, if there is a storage. After an error the batch may be retried, unless it
// is malformed: its items are counted once.
func (c *instance) measure(ctx context.Context, record func(now series.Instant) (tally.Batch, error)) error {
	if err := c.persistence.Load().admit(); err != nil {
		return err
	}
	counts, err := record(c.clock.now())
	c.telemetry.consumed(ctx, &counts)
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("span_to_metrics: %w", err))
	}
	return c.persistence.Load().commit(ctx)
}

// journalOf returns nil if there is no storage.
func (c *instance) journalOf() *journal.Journal {
	if kept := c.persistence.Load(); kept != nil {
		return kept.journal
	}
	return nil
}

// start restores the stored state and starts flushing. Further calls do nothing.
func (c *instance) start(ctx context.Context, host component.Host) error {
	c.running.Lock()
	defer c.running.Unlock()
	if c.loop != nil {
		return nil
	}
	for _, warning := range declaration.Warnings(&c.cfg.Config) {
		c.logger.Warn(warning)
	}
	c.health = health.New(host)
	if err := c.open(ctx, host); err != nil {
		return err
	}
	// Flush restored totals immediately, so that metrics are not missing just after a restart.
	stored := c.persistence.Load() != nil
	c.loop = startLoop(c.cfg.MetricsFlushInterval, stored, c.flushOrWarn)
	return nil
}

// stop ends the loop, waits for a running flush, and flushes the rest. If ctx is done first, it cancels the running flush.
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
		return fmt.Errorf("the last flush failed and its values are lost: %w", err)
	case kept == nil:
		return nil
	case err != nil:
		c.logger.Warn("The last flush failed. Its values are stored and sent after the next start.", zap.Error(err))
	}
	if err := kept.journal.Close(ctx); err != nil {
		return fmt.Errorf("close the storage of the metrics: %w", err)
	}
	return nil
}

func (c *instance) flushOrWarn(ctx context.Context) {
	if err := c.flush(ctx); err != nil {
		c.logger.Warn("A flush failed. No value is lost; the next flush includes them.", zap.Error(err))
	}
}

// flush sends the metrics to the next consumer. If it fails, permanently or not, no value is lost: values stay in their
// series, which are bounded, and are sent with the next flush.
func (c *instance) flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()

	now := c.clock.now()
	remembered, evictions := c.state.Age(now)
	c.telemetry.aged(ctx, remembered, &evictions)
	return errors.Join(c.deliver(ctx, now), c.persistence.Load().snapshotIfDue(ctx, now))
}

// deliver sends a flush. If a previous process stopped before it knew whether its last flush was delivered, that one is
// sent first and unchanged; receivers that have it recognize it by its interval.
func (c *instance) deliver(ctx context.Context, now series.Instant) error {
	if open := c.state.Series.Unanswered(); open != nil {
		if err := c.send(ctx, open); err != nil {
			return err
		}
		if err := c.accept(ctx, open); err != nil {
			return err
		}
	}
	snapshot := c.state.Series.Collect(now)
	c.telemetry.collected(ctx, &snapshot, c.state.Series.Size().Bytes)
	if err := c.send(ctx, &snapshot); err != nil {
		c.state.Series.Restore(&snapshot)
		return err
	}
	return c.accept(ctx, &snapshot)
}

// send passes a snapshot to the next consumer. It commits the state first, because a crash must not undo what receivers
// have seen.
func (c *instance) send(ctx context.Context, snapshot *series.Snapshot) error {
	if snapshot.IsEmpty() {
		return nil
	}
	err := c.persistence.Load().commit(ctx)
	if err == nil {
		if err = c.next.ConsumeMetrics(ctx, c.converter.Metrics(snapshot)); err != nil {
			c.health.Set(c, fmt.Errorf("the next component rejects metrics: %w", err))
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

// accept stores that a snapshot was delivered, so that a delta is not sent again.
func (c *instance) accept(ctx context.Context, snapshot *series.Snapshot) error {
	c.state.Series.Accept(snapshot)
	return c.persistence.Load().commit(ctx)
}
