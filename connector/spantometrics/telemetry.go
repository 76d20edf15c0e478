// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

// telemetry is the connector's internal telemetry. The attribute sets are created once.
type telemetry struct {
	builder                    *metadata.TelemetryBuilder
	skipped                    [tally.SkipReasons]counter.Attributes
	replaced                   [tally.ReplacedReasons]counter.Attributes
	overflowed                 []overflowOptions
	aging, crowding, forgetful counter.Attributes
}

func newTelemetry(settings component.TelemetrySettings, definitions []series.Definition) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(settings)
	if err != nil {
		return nil, err
	}
	t := &telemetry{
		builder:   builder,
		aging:     counter.With("reason", "aged"),
		crowding:  counter.With("reason", "crowded"),
		forgetful: counter.With("reason", "forgotten"),
	}
	for reason := range t.skipped {
		t.skipped[reason] = counter.With("reason", tally.SkipReason(reason).String())
	}
	for reason := range t.replaced {
		t.replaced[reason] = counter.With("reason", tally.ReplacedReason(reason).String())
	}
	for _, definition := range definitions {
		t.overflowed = append(t.overflowed, overflowOptions{
			byMetric: counter.With("metric", definition.Name, "reason", "aggregation_cardinality_limit"),
			byTotal:  counter.With("metric", definition.Name, "reason", "max_series"),
		})
	}
	return t, nil
}

// overflowOptions are the attributes of overflowed values, by limit.
type overflowOptions struct{ byMetric, byTotal counter.Attributes }

func (t *telemetry) close() { t.builder.Shutdown() }

// consumed reports the tally of a batch.
func (t *telemetry) consumed(ctx context.Context, batch *tally.Batch) {
	counter.Add(ctx, t.builder.ConnectorSpanToMetricsRecordedSpans, batch.Spans, nil)
	counter.Add(ctx, t.builder.ConnectorSpanToMetricsRecordedEvents, batch.Events, nil)
	for reason, count := range batch.Replaced {
		counter.Add(ctx, t.builder.ConnectorSpanToMetricsReplacedLabels, count, t.replaced[reason])
	}
	for reason, count := range batch.Skipped {
		counter.Add(ctx, t.builder.ConnectorSpanToMetricsSkipped, count, t.skipped[reason])
	}
}

// collected reports the state of the registry at a flush.
func (t *telemetry) collected(ctx context.Context, snapshot *series.Snapshot, bytes int64) {
	t.builder.ConnectorSpanToMetricsSeries.Record(ctx, int64(snapshot.Live))
	t.builder.ConnectorSpanToMetricsSeriesBytes.Record(ctx, bytes)
	for i, options := range t.overflowed {
		counter.Add(ctx, t.builder.ConnectorSpanToMetricsOverflowed, snapshot.Overflowed.ByMetric[i], options.byMetric)
		counter.Add(ctx, t.builder.ConnectorSpanToMetricsOverflowed, snapshot.Overflowed.ByTotal[i], options.byTotal)
	}
}

// cut reports series that were merged into overflow series at startup.
func (t *telemetry) cut(ctx context.Context, count int) {
	t.builder.ConnectorSpanToMetricsCutSeries.Add(ctx, int64(count))
}

// aged reports the state of the active sets at a flush.
func (t *telemetry) aged(ctx context.Context, remembered int, evictions *active.Evictions) {
	t.builder.ConnectorSpanToMetricsActiveIds.Record(ctx, int64(remembered))
	counter.Add(ctx, t.builder.ConnectorSpanToMetricsActiveEvictions, evictions.Aged, t.aging)
	counter.Add(ctx, t.builder.ConnectorSpanToMetricsActiveEvictions, evictions.Crowded, t.crowding)
	counter.Add(ctx, t.builder.ConnectorSpanToMetricsActiveEvictions, evictions.Forgotten, t.forgetful)
}

// observe registers callbacks that report the state of the storage.
func (t *telemetry) observe(stored journal.Observer) error {
	return errors.Join(
		t.builder.RegisterConnectorSpanToMetricsStorageBytesCallback(stored.Bytes()),
		t.builder.RegisterConnectorSpanToMetricsStorageFailingCallback(stored.Failing()),
		t.builder.RegisterConnectorSpanToMetricsStorageFailuresCallback(stored.Failures()),
		t.builder.RegisterConnectorSpanToMetricsStorageLastCommitCallback(stored.LastCommit()),
		t.builder.RegisterConnectorSpanToMetricsStorageSetAsideCallback(stored.SetAside()),
		t.builder.RegisterConnectorSpanToMetricsStorageWaitingCallback(stored.Waiting()),
	)
}

// started makes the connector visible in the internal telemetry before its first flush.
func (t *telemetry) started(ctx context.Context) {
	t.builder.ConnectorSpanToMetricsSeries.Record(ctx, 0)
}

func (t *telemetry) flushed(ctx context.Context, at time.Time) {
	t.builder.ConnectorSpanToMetricsLastFlush.Record(ctx, float64(at.UnixNano())/1e9)
}

func (t *telemetry) refused(ctx context.Context) {
	t.builder.ConnectorSpanToMetricsRefusedFlushes.Add(ctx, 1)
}
