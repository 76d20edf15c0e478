// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskertelemetry

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/telemetry/taskertelemetry/internal/metadata"
)

// Prefixes of exporterhelper's counters, which are named by outcome and signal: otelcol_exporter_sent_spans.
const (
	sent          = "otelcol_exporter_sent_"
	sendFailed    = "otelcol_exporter_send_failed_"
	enqueueFailed = "otelcol_exporter_enqueue_failed_"
)

// dataType returns the signal for the unit of an exporterhelper counter, named as the data_type of its queue metrics.
func dataType(unit string) (name string, known bool) {
	switch unit {
	case "spans":
		return "traces", true
	case "metric_points":
		return "metrics", true
	case "log_records":
		return "logs", true
	}
	return "", false
}

// provider creates meters that record the time of each outcome of an exporter.
type provider struct {
	telemetry.MeterProvider
	builder *metadata.TelemetryBuilder
	now     func() time.Time
}

func newProvider(of telemetry.MeterProvider, now func() time.Time) (*provider, error) {
	builder, err := metadata.NewTelemetryBuilder(component.TelemetrySettings{MeterProvider: of})
	if err != nil {
		return nil, err
	}
	return &provider{MeterProvider: of, builder: builder, now: now}, nil
}

// Meter implements metric.MeterProvider.
func (p *provider) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return &meter{Meter: p.MeterProvider.Meter(name, options...), provider: p}
}

// meter is the meter of an instrumentation scope.
type meter struct {
	metric.Meter
	provider *provider
}

// Int64Counter implements metric.Meter.
func (m *meter) Int64Counter(name string, options ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	counter, err := m.Meter.Int64Counter(name, options...)
	if err != nil {
		return counter, err
	}
	times := m.provider.builder.ExporterLastFailure
	unit, found := cutAnyPrefix(name, sendFailed, enqueueFailed)
	if !found {
		if unit, found = strings.CutPrefix(name, sent); !found {
			return counter, nil
		}
		times = m.provider.builder.ExporterLastSuccess
	}
	signal, known := dataType(unit)
	if !known {
		return counter, nil
	}
	return &outcomes{Int64Counter: counter, times: times, dataType: attribute.String("data_type", signal), now: m.provider.now}, nil
}

func cutAnyPrefix(text string, prefixes ...string) (after string, found bool) {
	for _, prefix := range prefixes {
		if after, found = strings.CutPrefix(text, prefix); found {
			return after, true
		}
	}
	return text, false
}

// outcomes is a counter that also records the time of increments, per exporter.
type outcomes struct {
	metric.Int64Counter
	times    metric.Float64Gauge
	dataType attribute.KeyValue
	now      func() time.Time
}

// Add implements metric.Int64Counter. exporterhelper adds 0 to the sent items when a request has failed.
func (o *outcomes) Add(ctx context.Context, items int64, options ...metric.AddOption) {
	o.Int64Counter.Add(ctx, items, options...)
	if items <= 0 {
		return
	}
	attributes := metric.NewAddConfig(options).Attributes()
	if exporter, found := attributes.Value("exporter"); found {
		at := float64(o.now().UnixNano()) / 1e9
		o.times.Record(ctx, at, metric.WithAttributes(attribute.String("exporter", exporter.AsString()), o.dataType))
	}
}
