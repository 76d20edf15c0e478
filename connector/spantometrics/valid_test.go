// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// TestAnyInputMakesValidMetrics sends spans and events that no component of this project makes: attributes of any type,
// extreme times and numbers, invalid UTF-8. The output is valid OTLP.
func TestAnyInputMakesValidMetrics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int32Range(5, 160).Draw(t, "size")
		w := newWorld(t, func(cfg *Config) {
			cfg.EventSpans = true
			cfg.AggregationCardinalityLimit = rapid.IntRange(2, 5).Draw(t, "limit")
			cfg.MaxApplications = rapid.IntRange(1, 2).Draw(t, "applications")
			cfg.MaxSeries = rapid.IntRange(10, 40).Draw(t, "total")
			cfg.AggregationTemporality = rapid.SampledFrom([]string{cumulative, delta}).Draw(t, "temporality")
			if rapid.Bool().Draw(t, "exponential") {
				cfg.Histogram = exponentialOf(size)
			}
			anything := []SourceConfig{{Event: []string{"*"}}, {Span: "step"}, {Span: "task"}, {Detected: []string{"*"}}}
			label := []Dimension{{Name: "k", Key: []string{"tasker.value", "tasker.step_name"}, Default: pointerTo("none")}}
			cfg.Metrics = map[string]MetricConfig{
				"own.counter": {Type: declaration.TypeCounter, Value: []string{"value"}, Sources: anything, Dimensions: label},
				"own.scaled":  {Type: declaration.TypeCounter, Unit: "By", Scale: 1e-3, Value: []string{"value"}, Sources: anything},
				"own.gauge":   {Type: declaration.TypeGauge, Value: []string{"value"}, Sources: anything, Dimensions: label},
				"own.buckets": {Type: declaration.TypeHistogram, Value: []string{"value"}, Sources: anything},
				"own.spread": {Type: declaration.TypeHistogram, Value: []string{"value"}, Sources: anything, Dimensions: label, Histogram: MetricHistogramConfig{
					Exponential: configoptional.Some(ExponentialHistogramConfig{MaxSize: size}),
				}},
				"own.time": {Type: declaration.TypeCounter, Value: []string{declaration.ValueDuration}, SourceConfig: SourceConfig{Span: "step"}},
			}
		})
		c := w.begin()
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			require.NoError(t, batch{td: drawSpans(t)}.consume(c))
			require.NoError(t, batch{ld: drawRecords(t)}.consume(c))
			snapshot := c.state.Series.Collect(c.clock.now())
			checkValid(t, c.converter.Metrics(&snapshot))
			if rapid.Bool().Draw(t, "refused") {
				c.state.Series.Restore(&snapshot)
			} else {
				c.state.Series.Accept(&snapshot)
			}
			if rapid.Bool().Draw(t, "restart") {
				require.NoError(t, c.persistence.Load().commit(context.Background()))
				w.crash()
				c = w.begin()
			}
		}
	})
}

func drawText(t *rapid.T) string {
	return rapid.OneOf(rapid.Just("\xff\xfe"), rapid.SampledFrom([]string{"", "a", "b_001", "\xff\xfe", "\x00\n\"\\", "NaN", "-Inf", "1e400", "12.5", "0x1p-2"}), rapid.String()).Draw(t, "text")
}

func drawNumber(t *rapid.T) int64 {
	return rapid.OneOf(rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53, 9e12, 9e18}), rapid.Int64()).Draw(t, "number")
}

func drawValue(t *rapid.T, value pcommon.Value) {
	switch rapid.IntRange(0, 7).Draw(t, "type") {
	case 0:
		value.SetStr(drawText(t))
	case 1:
		value.SetInt(drawNumber(t))
	case 2:
		value.SetDouble(rapid.OneOf(rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 5e-324, 9.3e12}), rapid.Float64()).Draw(t, "double"))
	case 3:
		value.SetBool(rapid.Bool().Draw(t, "bool"))
	case 4:
		value.SetEmptyMap().PutStr("k", drawText(t))
	case 5:
		value.SetEmptySlice().AppendEmpty().SetInt(1)
	case 6:
		value.SetEmptyBytes().FromRaw([]byte(drawText(t)))
	}
}

func drawAttributes(t *rapid.T, attrs pcommon.Map) {
	for _, key := range []string{
		"tasker.value", lifecycle.AttrTaskName, lifecycle.AttrStepName, lifecycle.AttrStatus, lifecycle.AttrAttemptNumber, lifecycle.AttrTaskID,
		lifecycle.AttrStepID, lifecycle.AttrDuration, lifecycle.AttrSQL, lifecycle.AttrDetectedBy, lifecycle.AttrIncomplete, lifecycle.AttrServiceName,
	} {
		if rapid.IntRange(0, 2).Draw(t, key) == 0 {
			drawValue(t, attrs.PutEmpty(key))
		}
	}
}

func drawSpans(t *rapid.T) ptrace.Traces {
	td := ptrace.NewTraces()
	for range rapid.IntRange(0, 3).Draw(t, "resources") {
		rs := td.ResourceSpans().AppendEmpty()
		drawAttributes(t, rs.Resource().Attributes())
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(rapid.SampledFrom([]string{lifecycle.ScopeSpans, lifecycle.ScopeEvents}).Draw(t, "scope"))
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			span := ss.Spans().AppendEmpty()
			span.SetName(rapid.SampledFrom([]string{lifecycle.SpanTask, lifecycle.SpanStep, lifecycle.SpanBatch, lifecycle.StepCompleted, "x"}).Draw(t, "name"))
			span.SetTraceID(pcommon.TraceID{rapid.Byte().Draw(t, "trace")})
			span.SetSpanID(pcommon.SpanID{rapid.Byte().Draw(t, "span")})
			span.SetStartTimestamp(pcommon.Timestamp(drawNumber(t)))
			span.SetEndTimestamp(pcommon.Timestamp(drawNumber(t)))
			drawAttributes(t, span.Attributes())
			found := span.Events().AppendEmpty()
			found.SetName(lifecycle.PerformanceSlowOperation)
			drawAttributes(t, found.Attributes())
			found.Attributes().PutStr(lifecycle.AttrDetectedBy, lifecycle.DetectedBySpanHierarchy)
		}
	}
	return td
}

func drawRecords(t *rapid.T) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	drawAttributes(t, rl.Resource().Attributes())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for range rapid.IntRange(0, 4).Draw(t, "records") {
		record := records.AppendEmpty()
		record.SetEventName(rapid.SampledFrom([]string{
			lifecycle.StepExecutionRequested, "tasker." + lifecycle.StepExecutionRequested, lifecycle.TaskCompleted, lifecycle.DatabaseQueryExecuted, "x", "",
		}).Draw(t, "event"))
		record.SetTimestamp(pcommon.Timestamp(drawNumber(t)))
		record.SetTraceID(pcommon.TraceID{rapid.Byte().Draw(t, "trace")})
		drawAttributes(t, record.Attributes())
	}
	return ld
}

func checkValid(t *rapid.T, md pmetric.Metrics) {
	now := pcommon.NewTimestampFromTime(time.Now().Add(time.Second))
	for _, rm := range md.ResourceMetrics().All() {
		checkTexts(t, rm.Resource().Attributes())
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			different := map[string]bool{}
			check := func(start, at pcommon.Timestamp, attrs pcommon.Map) {
				require.LessOrEqual(t, start, at)
				require.LessOrEqual(t, at, now)
				checkTexts(t, attrs)
				require.False(t, different[labelText(attrs)], "two points of %s{%s}", metric.Name(), labelText(attrs))
				different[labelText(attrs)] = true
			}
			number := func(dp pmetric.NumberDataPoint) {
				check(dp.StartTimestamp(), dp.Timestamp(), dp.Attributes())
				checkFinite(t, dp.DoubleValue())
			}
			switch metric.Type() {
			case pmetric.MetricTypeSum:
				for _, dp := range metric.Sum().DataPoints().All() {
					number(dp)
					require.GreaterOrEqual(t, dp.DoubleValue(), 0.0)
				}
			case pmetric.MetricTypeGauge:
				for _, dp := range metric.Gauge().DataPoints().All() {
					number(dp)
				}
			case pmetric.MetricTypeHistogram:
				for _, dp := range metric.Histogram().DataPoints().All() {
					check(dp.StartTimestamp(), dp.Timestamp(), dp.Attributes())
					checkFinite(t, dp.Sum(), dp.Min(), dp.Max())
					require.Equal(t, dp.Count(), allOf(dp.BucketCounts()))
					require.Len(t, dp.BucketCounts().AsRaw(), dp.ExplicitBounds().Len()+1)
				}
			case pmetric.MetricTypeExponentialHistogram:
				for _, dp := range metric.ExponentialHistogram().DataPoints().All() {
					check(dp.StartTimestamp(), dp.Timestamp(), dp.Attributes())
					checkFinite(t, dp.Sum(), dp.Min(), dp.Max())
					require.Equal(t, dp.Count(), dp.ZeroCount()+allOf(dp.Positive().BucketCounts()))
					require.GreaterOrEqual(t, dp.Scale(), int32(-4), "what Prometheus takes")
				}
			}
		}
	}
}

func checkTexts(t *rapid.T, attrs pcommon.Map) {
	for key, value := range attrs.All() {
		require.True(t, utf8.ValidString(value.AsString()), key)
		require.NotEmpty(t, value.AsString(), key)
	}
}

func checkFinite(t *rapid.T, numbers ...float64) {
	for _, number := range numbers {
		require.False(t, math.IsNaN(number) || math.IsInf(number, 0), "%v", numbers)
	}
}

func allOf(counts pcommon.UInt64Slice) (sum uint64) {
	for _, count := range counts.All() {
		sum += count
	}
	return sum
}
