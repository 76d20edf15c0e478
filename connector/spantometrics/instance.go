package spantometrics

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/seen"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// endedMemory is how long the active sets remember an id after its end. Events are rarely later than this, and an id
// opened again by one ages out.
const endedMemory = time.Hour

// instance measures what all inputs of one component id receive, and flushes it on a ticker.
type instance struct {
	cfg       *Config
	registry  *series.Registry
	telemetry *telemetry
	logger    *zap.Logger
	next      consumer.Metrics
	exporter  exporter

	// These are guarded by the registry's lock.
	tasks, steps *active.Set
	statements   statements
	// spansSeen and eventsSeen are apart, because events are many and would crowd out the spans.
	spansSeen, eventsSeen *seen.Set

	// running guards the flush loop; loop is nil while there is none.
	running sync.Mutex
	loop    *loop

	// flushing keeps flushes apart: the registry has one open snapshot at most.
	flushing sync.Mutex
}

func newInstance(cfg *Config, settings connector.Settings, next consumer.Metrics) (*instance, error) {
	telemetry, err := newTelemetry(settings.TelemetrySettings, definitions(cfg))
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
	return &instance{
		cfg: cfg,
		registry: series.NewRegistry(definitions(cfg), series.Options{
			Delta:           isDelta,
			MaxSeries:       cfg.AggregationCardinalityLimit,
			MaxApplications: cfg.MaxApplications,
			Exemplars:       exemplars,
			Expiration:      cfg.SeriesExpiration.Nanoseconds(),
		}, time.Now().UnixNano()),
		telemetry:  telemetry,
		logger:     settings.Logger,
		next:       next,
		exporter:   exporter{delta: isDelta, instanceID: instanceID, version: settings.BuildInfo.Version},
		tasks:      active.NewSet(ids),
		steps:      active.NewSet(ids),
		statements: statements{},
		spansSeen:  seen.New(cfg.Deduplicate.MaxEntries),
		eventsSeen: seen.New(cfg.Deduplicate.MaxEntries),
	}, nil
}

// start begins to flush. Further calls do nothing.
func (c *instance) start() {
	c.running.Lock()
	defer c.running.Unlock()
	if c.loop == nil {
		c.loop = startLoop(c.cfg.MetricsFlushInterval, c.flushOrWarn)
	}
}

// stop ends the loop, waits for a flush that is under way, and flushes what is left. When ctx ends before the waiting
// does, the flush under way is called off.
func (c *instance) stop(ctx context.Context) error {
	c.running.Lock()
	defer c.running.Unlock()
	defer c.telemetry.close()
	if c.loop != nil {
		c.loop.stop(ctx)
		c.loop = nil
	}
	if err := c.flush(ctx); err != nil {
		return fmt.Errorf("the last flush was refused, and what it carried is lost: %w", err)
	}
	return nil
}

func (c *instance) flushOrWarn(ctx context.Context) {
	if err := c.flush(ctx); err != nil {
		c.logger.Warn("The next consumer refused a flush. Nothing is lost; the next flush carries it all.", zap.Error(err))
	}
}

// flush sends what there is to the next consumer. Of a refused flush nothing is lost, whether the error is permanent or
// not: values stay in their series, which are bounded, and go out with the next flush.
func (c *instance) flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()

	now := time.Now().UnixNano()
	c.age(ctx, now)
	snapshot := c.registry.Collect(now)
	c.telemetry.collected(ctx, &snapshot)
	if len(snapshot.Applications) > 0 {
		if err := c.next.ConsumeMetrics(ctx, c.exporter.metrics(&snapshot)); err != nil {
			c.registry.Restore(&snapshot)
			c.telemetry.refused(ctx)
			return err
		}
	}
	c.registry.Accept(&snapshot)
	return nil
}

// age drops the ids that were not heard of for too long.
func (c *instance) age(ctx context.Context, now int64) {
	w := c.registry.Begin(now)
	tasks, steps := c.tasks.Age(now), c.steps.Age(now)
	remembered := c.tasks.Len() + c.steps.Len()
	w.End()
	c.telemetry.aged(ctx, remembered, tasks, steps)
}
