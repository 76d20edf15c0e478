// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadatatest"
)

// running is an exporter under test, with its file and telemetry.
type running struct {
	exporter.Metrics
	path      string
	telemetry *componenttest.Telemetry
	host      *statusHost
}

// start runs an exporter that by default writes at each batch.
func start(t *testing.T, change func(*Config)) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Path = filepath.Join(t.TempDir(), "new", "metrics.csv")
	cfg.MinWriteInterval = 0
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	telemetry := componenttest.NewTelemetry()
	settings := exportertest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = telemetry.NewTelemetrySettings()
	created, err := NewFactory().CreateMetrics(t.Context(), settings, cfg)
	require.NoError(t, err)
	e := &running{Metrics: created, path: cfg.path(signalMetrics), telemetry: telemetry, host: &statusHost{}}
	require.NoError(t, e.Start(t.Context(), e.host))
	t.Cleanup(func() {
		require.NoError(t, e.Shutdown(context.Background()))
		require.NoError(t, e.telemetry.Shutdown(context.Background()))
	})
	return e
}

// statusHost records the reported status.
type statusHost struct {
	events []componentstatus.Status
}

func (*statusHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *statusHost) Report(event *componentstatus.Event) {
	h.events = append(h.events, event.Status())
}

func ofSignal(name string) attribute.Set { return attribute.NewSet(attribute.String("signal", name)) }

func (e *running) read(t *testing.T) [][]string {
	t.Helper()
	return readFile(t, e.path)
}

func readFile(t *testing.T, path string) [][]string {
	t.Helper()
	return readDelimited(t, path, ',')
}

func readDelimited(t *testing.T, path string, delimiter rune) [][]string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	in := csv.NewReader(file)
	in.Comma = delimiter
	records, err := in.ReadAll()
	require.NoError(t, err)
	return records
}

func (e *running) valueOf(t *testing.T, name string) string {
	t.Helper()
	for _, record := range e.read(t) {
		if record[1] == name {
			return record[3]
		}
	}
	return ""
}

func at(seconds int) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.Date(2026, 3, 1, 12, 0, seconds, 0, time.UTC))
}

func scopeOf(md pmetric.Metrics) pmetric.ScopeMetrics {
	resource := md.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	resource.Resource().Attributes().PutStr("service.namespace", "eu")
	return resource.ScopeMetrics().AppendEmpty()
}

func counter(value int64, when int) pmetric.Metrics {
	return sum(pmetric.AggregationTemporalityCumulative, value, when)
}

func delta(value int64, when int) pmetric.Metrics {
	return sum(pmetric.AggregationTemporalityDelta, value, when)
}

func sum(temporality pmetric.AggregationTemporality, value int64, when int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := scopeOf(md).Metrics().AppendEmpty()
	m.SetName("tasker.task.executions")
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(temporality)
	p := m.Sum().DataPoints().AppendEmpty()
	p.SetTimestamp(at(when))
	p.SetIntValue(value)
	p.Attributes().PutStr("task_name", "order_processing")
	p.Attributes().PutStr("status", "success")
	return md
}

// everyType returns one metric of each type.
func everyType() pmetric.Metrics {
	md := counter(41, 5)
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	add := func(name string) pmetric.Metric {
		m := metrics.AppendEmpty()
		m.SetName(name)
		return m
	}

	gauge := add("a.gauge").SetEmptyGauge().DataPoints().AppendEmpty()
	gauge.SetTimestamp(at(5))
	gauge.SetDoubleValue(-1.5)
	gauge.Attributes().PutStr("queue", "=danger")

	upDown := add("b.updown").SetEmptySum().DataPoints().AppendEmpty()
	upDown.SetTimestamp(at(5))
	upDown.SetIntValue(-3)

	histogram := add("c.histogram").SetEmptyHistogram().DataPoints().AppendEmpty()
	histogram.SetTimestamp(at(5))
	histogram.ExplicitBounds().FromRaw([]float64{1, 2})
	histogram.BucketCounts().FromRaw([]uint64{0, 10, 0})
	histogram.SetCount(10)
	histogram.SetSum(15)

	exponential := add("d.exponential").SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	exponential.SetTimestamp(at(5))
	exponential.SetCount(4)
	exponential.SetSum(5)
	exponential.Positive().BucketCounts().FromRaw([]uint64{4})
	exponential.SetMin(1.25)
	exponential.SetMax(1.25)

	summary := add("e.summary").SetEmptySummary().DataPoints().AppendEmpty()
	summary.SetTimestamp(at(5))
	summary.SetCount(2)
	summary.SetSum(3)
	quantile := summary.QuantileValues().AppendEmpty()
	quantile.SetQuantile(0.9)
	quantile.SetValue(1.75)
	return md
}

func TestSnapshot(t *testing.T) {
	e := start(t, nil)
	md := everyType()
	md.MarkReadOnly()
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))

	const when = "2026-03-01T12:00:05.000000000Z"
	assert.Equal(t, [][]string{
		{"timestamp", "name", "type", "value", "service.name", "service.namespace", "quantile", "queue", "status", "task_name"},
		{when, "a.gauge", "gauge", "-1.5", "shop", "eu", "", "'=danger", "", ""},
		{when, "b.updown", "updowncounter", "-3", "shop", "eu", "", "", "", ""},
		{when, "c.histogram_count", "histogram", "10", "shop", "eu", "", "", "", ""},
		{when, "c.histogram_sum", "histogram", "15", "shop", "eu", "", "", "", ""},
		{when, "c.histogram", "histogram", "1.5", "shop", "eu", "0.5", "", "", ""},
		{when, "c.histogram", "histogram", "1.95", "shop", "eu", "0.95", "", "", ""},
		{when, "c.histogram", "histogram", "1.99", "shop", "eu", "0.99", "", "", ""},
		{when, "d.exponential_count", "histogram", "4", "shop", "eu", "", "", "", ""},
		{when, "d.exponential_sum", "histogram", "5", "shop", "eu", "", "", "", ""},
		{when, "d.exponential", "histogram", "1.25", "shop", "eu", "0.5", "", "", ""},
		{when, "d.exponential", "histogram", "1.25", "shop", "eu", "0.95", "", "", ""},
		{when, "d.exponential", "histogram", "1.25", "shop", "eu", "0.99", "", "", ""},
		{when, "e.summary_count", "summary", "2", "shop", "eu", "", "", "", ""},
		{when, "e.summary_sum", "summary", "3", "shop", "eu", "", "", "", ""},
		{when, "e.summary", "summary", "1.75", "shop", "eu", "0.9", "", "", ""},
		{when, "tasker.task.executions", "counter", "41", "shop", "eu", "", "", "success", "order_processing"},
	}, e.read(t))

	files, err := os.ReadDir(filepath.Dir(e.path))
	require.NoError(t, err)
	assert.Len(t, files, 2, "the table and its lock: no temporary file stays")
	info, err := os.Stat(e.path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}

func TestSeriesOfDifferentResourcesStayApart(t *testing.T) {
	e := start(t, nil)
	for i := range 3 {
		md := counter(int64(10*i), 1)
		md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.instance.id", strconv.Itoa(i))
		require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	}
	assert.Len(t, e.read(t), 1+3)
}

func TestDeltasAddUp(t *testing.T) {
	e := start(t, nil)
	for i := range 5 {
		require.NoError(t, e.ConsumeMetrics(t.Context(), delta(2, i)))
	}
	assert.Equal(t, "10", e.valueOf(t, "tasker.task.executions"))
}

// A batch whose snapshot cannot be written is rejected as a whole and can be retried.
func TestFailedWriteChangesNothing(t *testing.T) {
	e := start(t, nil)
	require.NoError(t, e.ConsumeMetrics(t.Context(), delta(1, 1)))

	directory := filepath.Dir(e.path)
	hidden := directory + ".away"
	require.NoError(t, os.Rename(directory, hidden))
	for range 3 {
		err := e.ConsumeMetrics(t.Context(), delta(2, 2))
		require.ErrorContains(t, err, e.path)
		require.ErrorIs(t, err, os.ErrNotExist)
		assert.False(t, consumererror.IsPermanent(err), "it can be retried")
	}
	require.NoError(t, os.Rename(hidden, directory))
	assert.Equal(t, "1", e.valueOf(t, "tasker.task.executions"), "the file is as it was")

	require.NoError(t, e.ConsumeMetrics(t.Context(), delta(2, 2)))
	assert.Equal(t, "3", e.valueOf(t, "tasker.task.executions"), "added once")

	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, e.host.events)
	metadatatest.AssertEqualExporterTaskerCsvSnapshots(t, e.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2, Attributes: ofSignal("metrics")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterTaskerCsvFailedSnapshots(t, e.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 3, Attributes: ofSignal("metrics")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestWriteInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, func(cfg *Config) { cfg.MinWriteInterval = time.Minute })
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		assert.Equal(t, "1", e.valueOf(t, "tasker.task.executions"), "the first batch is written at once")

		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(2, 2)))
		<-time.After(59 * time.Second)
		synctest.Wait()
		assert.Equal(t, "1", e.valueOf(t, "tasker.task.executions"), "not yet")

		<-time.After(16 * time.Second)
		synctest.Wait()
		assert.Equal(t, "2", e.valueOf(t, "tasker.task.executions"), "what was left for later")

		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(3, 3)))
		require.NoError(t, e.Shutdown(t.Context()))
		assert.Equal(t, "3", e.valueOf(t, "tasker.task.executions"), "Shutdown writes the rest")
		metadatatest.AssertEqualExporterTaskerCsvSnapshots(t, e.telemetry,
			[]metricdata.DataPoint[int64]{{Value: 3, Attributes: ofSignal("metrics")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
}

func TestFailedLaterWriteIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, func(cfg *Config) { cfg.MinWriteInterval = time.Minute })
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(2, 2)))

		directory := filepath.Dir(e.path)
		require.NoError(t, os.Rename(directory, directory+".away"))
		<-time.After(10 * time.Minute)
		synctest.Wait()
		require.NoError(t, os.Rename(directory+".away", directory))
		<-time.After(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, "2", e.valueOf(t, "tasker.task.executions"))
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, e.host.events)
	})
}

func TestSeriesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, func(cfg *Config) { cfg.SeriesExpiration = time.Hour })
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		<-time.After(time.Hour)
		synctest.Wait()
		assert.Equal(t, "1", e.valueOf(t, "tasker.task.executions"))
		<-time.After(time.Second)
		synctest.Wait()
		assert.Len(t, e.read(t), 1, "only the header is left, without any new metrics")
		assert.Contains(t, e.read(t)[0], "task_name")
		metadatatest.AssertEqualExporterTaskerCsvExpiredSeries(t, e.telemetry,
			[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
}

func TestSeriesCanStayForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, func(cfg *Config) { cfg.SeriesExpiration = 0 })
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		<-time.After(24 * 365 * time.Hour / 100)
		synctest.Wait()
		assert.Equal(t, "1", e.valueOf(t, "tasker.task.executions"))
	})
}

func TestDroppedPointsAreCounted(t *testing.T) {
	e := start(t, func(cfg *Config) {
		cfg.MaxSeries = 6 // two per application
		cfg.MaxColumns = 3
	})
	md := counter(1, 10)
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	gauge := func(name string) pmetric.NumberDataPoint {
		m := metrics.AppendEmpty()
		m.SetName(name)
		return m.SetEmptyGauge().DataPoints().AppendEmpty()
	}
	gauge("without.value")
	wide := gauge("wide")
	wide.SetIntValue(1)
	wide.Attributes().PutStr("one", "1")
	wide.Attributes().PutStr("two", "2")
	gauge("second").SetIntValue(1)
	gauge("third").SetIntValue(1)
	broken := metrics.AppendEmpty()
	broken.SetName("broken")
	broken.SetEmptyHistogram().DataPoints().AppendEmpty().ExplicitBounds().FromRaw([]float64{1, 2, 3})
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 5)))

	point := func(reason string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", reason))}
	}
	metadatatest.AssertEqualExporterTaskerCsvDroppedPoints(t, e.telemetry, []metricdata.DataPoint[int64]{
		point("no_value"), point("column_limit"), point("series_limit"), point("invalid"), point("out_of_order"),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterTaskerCsvRows(t, e.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2, Attributes: ofSignal("metrics")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterTaskerCsvSeries(t, e.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterTaskerCsvColumns(t, e.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestShutdown(t *testing.T) {
	newExporter := func(t *testing.T) (exporter.Metrics, string) {
		cfg := createDefaultConfig().(*Config)
		cfg.Path = filepath.Join(t.TempDir(), "metrics.csv")
		cfg.RetryConfig.Enabled = true // exporterhelper's retry sender panics at a second Shutdown
		created, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, err)
		return created, cfg.Path
	}
	t.Run("before Start, and twice", func(t *testing.T) {
		e, path := newExporter(t)
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, e.Shutdown(t.Context()))
		assert.NoFileExists(t, path)
	})
	t.Run("twice", func(t *testing.T) {
		e, path := newExporter(t)
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, e.Shutdown(t.Context()))
		assert.FileExists(t, path)
		require.ErrorIs(t, e.ConsumeMetrics(t.Context(), counter(1, 1)), errStopped)
	})
	t.Run("failing, returns the same error twice", func(t *testing.T) {
		e, path := newExporter(t)
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(2, 2)))
		require.NoError(t, os.RemoveAll(filepath.Dir(path)))
		err := e.Shutdown(t.Context())
		require.ErrorContains(t, err, path)
		require.Equal(t, err, e.Shutdown(t.Context()))
	})
}

func TestStartErrors(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	tests := map[string]string{
		"directory can't be created": filepath.Join(file, "metrics.csv"),
		"path is a directory":        directory,
	}
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Path = path
			e, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
			require.NoError(t, err)
			require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), path)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}

func TestCancelledContextIsRefused(t *testing.T) {
	e := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := e.ConsumeMetrics(ctx, counter(1, 1))
	require.ErrorIs(t, err, context.Canceled)
	assert.NoFileExists(t, e.path)
}

func TestQueueAndRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, func(cfg *Config) {
			cfg.RetryConfig.Enabled = true
			queue := cfg.QueueConfig.GetOrInsertDefault()
			queue.NumConsumers = 1
		})
		directory := filepath.Dir(e.path)
		require.NoError(t, os.Rename(directory, directory+".away"))
		require.NoError(t, e.ConsumeMetrics(t.Context(), delta(1, 1)))
		require.NoError(t, e.ConsumeMetrics(t.Context(), delta(2, 2)))
		<-time.After(20 * time.Second)
		synctest.Wait()
		require.NoError(t, os.Rename(directory+".away", directory))
		<-time.After(5 * time.Minute)
		synctest.Wait()
		assert.Equal(t, "3", e.valueOf(t, "tasker.task.executions"))
	})
}

// BenchmarkPush pushes 500 series, with and without a write.
func BenchmarkPush(b *testing.B) {
	md := pmetric.NewMetrics()
	m := scopeOf(md).Metrics().AppendEmpty()
	m.SetName("tasker.step.executions")
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range 500 {
		p := m.Sum().DataPoints().AppendEmpty()
		p.SetIntValue(int64(i))
		p.Attributes().PutStr("task_name", "order_processing")
		p.Attributes().PutStr("step_name", "step_"+strconv.Itoa(i))
		p.Attributes().PutStr("status", "success")
	}
	for name, interval := range map[string]time.Duration{"merge": time.Hour, "merge_and_write": 0} {
		b.Run(name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			cfg.Path = filepath.Join(b.TempDir(), "metrics.csv")
			cfg.MinWriteInterval = interval
			e, err := NewFactory().CreateMetrics(b.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
			if err != nil {
				b.Fatal(err)
			}
			if err := e.Start(b.Context(), componenttest.NewNopHost()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := e.ConsumeMetrics(b.Context(), md); err != nil {
					b.Fatal(err)
				}
			}
			if err := errors.Join(e.Shutdown(context.Background())); err != nil {
				b.Fatal(err)
			}
		})
	}
}
