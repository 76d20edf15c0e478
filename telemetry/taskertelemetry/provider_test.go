// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskertelemetry

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configtelemetry"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
)

// outcome holds the times of an exporter.
type outcome struct{ success, failure float64 }

// read returns the times by exporter and signal.
func read(t *testing.T, reader sdkmetric.Reader) map[string]outcome {
	t.Helper()
	var collected metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &collected))
	all := map[string]outcome{}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			gauge, is := m.Data.(metricdata.Gauge[float64])
			if !is {
				continue
			}
			for _, point := range gauge.DataPoints {
				exporter, _ := point.Attributes.Value("exporter")
				dataType, _ := point.Attributes.Value("data_type")
				assert.Equal(t, 2, point.Attributes.Len())
				of := all[exporter.AsString()+" "+dataType.AsString()]
				switch m.Name {
				case "otelcol_exporter_last_success":
					of.success = point.Value
				case "otelcol_exporter_last_failure":
					of.failure = point.Value
				}
				all[exporter.AsString()+" "+dataType.AsString()] = of
			}
		}
	}
	return all
}

// TestOutcomesOfAnExporter runs an exporter built with exporterhelper, whose counters the times depend on.
func TestOutcomesOfAnExporter(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	now := time.Unix(1000, 0)
	wrapped, err := newProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), func() time.Time { return now })
	require.NoError(t, err)

	var answer error
	settings := exportertest.NewNopSettings(component.MustNewType("otlp_http"))
	settings.ID = component.NewIDWithName(component.MustNewType("otlp_http"), "loki")
	settings.MeterProvider = wrapped
	logs, err := exporterhelper.NewLogs(t.Context(), settings, &struct{}{}, func(context.Context, plog.Logs) error { return answer })
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, logs.Shutdown(context.WithoutCancel(t.Context()))) }()
	send := func(records int) {
		ld := plog.NewLogs()
		for range records {
			ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		}
		assert.Equal(t, answer == nil, logs.ConsumeLogs(t.Context(), ld) == nil)
	}

	assert.Empty(t, read(t, reader), "nothing was sent")
	send(3)
	assert.Equal(t, map[string]outcome{"otlp_http/loki logs": {success: 1000}}, read(t, reader))

	now, answer = time.Unix(1005, 0), consumererror.NewPermanent(errors.New("404"))
	send(2)
	assert.Equal(t, map[string]outcome{"otlp_http/loki logs": {success: 1000, failure: 1005}}, read(t, reader))

	now, answer = time.Unix(1010, 500_000_000), nil
	send(1)
	assert.Equal(t, map[string]outcome{"otlp_http/loki logs": {success: 1010.5, failure: 1005}}, read(t, reader))
}

// TestOutcomes checks which counters are outcomes, and of which signal.
func TestOutcomes(t *testing.T) {
	for name, want := range map[string]map[string]outcome{
		"otelcol_exporter_sent_spans":                     {"kafka traces": {success: 7}},
		"otelcol_exporter_sent_metric_points":             {"kafka metrics": {success: 7}},
		"otelcol_exporter_send_failed_log_records":        {"kafka logs": {failure: 7}},
		"otelcol_exporter_enqueue_failed_spans":           {"kafka traces": {failure: 7}},
		"otelcol_exporter_sent_profile_samples":           {},
		"otelcol_exporter_tasker_csv_snapshots":           {},
		"otelcol_receiver_accepted_spans":                 {},
		"otelcol_exporter_enqueue_failed_profile_samples": {},
	} {
		reader := sdkmetric.NewManualReader()
		wrapped, err := newProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), func() time.Time { return time.Unix(7, 0) })
		require.NoError(t, err)
		counter, err := wrapped.Meter("any").Int64Counter(name)
		require.NoError(t, err)
		counter.Add(t.Context(), 0, metric.WithAttributes(attribute.String("exporter", "kafka")))
		counter.Add(t.Context(), 5)
		assert.Empty(t, read(t, reader), name)
		counter.Add(t.Context(), 5, metric.WithAttributes(attribute.String("exporter", "kafka")),
			metric.WithAttributeSet(attribute.NewSet(attribute.Bool("error.permanent", true))))
		assert.Equal(t, want, read(t, reader), name)
	}
}

// TestFactory checks that the configuration is the collector's, and that meters are wrapped.
func TestFactory(t *testing.T) {
	factory := NewFactory()
	config := factory.CreateDefaultConfig().(*otelconftelemetry.Config)
	config.Metrics.Level = configtelemetry.LevelNone // a reader would listen on a port
	resource := pcommon.NewResource()
	made, err := factory.CreateMeterProvider(t.Context(), telemetry.MeterSettings{
		Settings: telemetry.Settings{Resource: &resource}, Logger: zap.NewNop(),
	}, config)
	require.NoError(t, err)
	assert.IsType(t, &provider{}, made)
	require.NoError(t, made.Shutdown(t.Context()))
}
