// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// measured returns the metrics of one batch of finished spans.
func measured(t *testing.T, change func(*Config), fill func(ptrace.SpanSlice)) (pmetric.Metrics, *pair) {
	t.Helper()
	p := newPair(t, change)
	td, spans := shopSpans(lifecycle.ScopeSpans)
	fill(spans)
	p.consumeTraces(t, td)
	p.stop(t)
	return p.sink.last(), p
}

func TestEverySpanMetric(t *testing.T) {
	step := map[string]any{
		lifecycle.AttrTaskName: "order", lifecycle.AttrStepName: "charge", lifecycle.AttrAttemptNumber: 2,
		lifecycle.AttrStatus: "failure", lifecycle.AttrErrorType: "Gateway::Timeout",
	}
	task := map[string]any{lifecycle.AttrTaskName: "order", lifecycle.AttrStatus: "cancelled"}
	md, p := measured(t, nil, func(spans ptrace.SpanSlice) {
		addSpan(spans, lifecycle.SpanTask, time.Minute, task)
		addSpan(spans, lifecycle.SpanOrchestration, 30*time.Second, task)
		addSpan(spans, lifecycle.SpanBatch, 20*time.Second, map[string]any{
			lifecycle.AttrTaskName: "order", lifecycle.AttrBatchSize: 4,
		})
		addSpan(spans, lifecycle.SpanStep, 10*time.Second, step)
		addSpan(spans, lifecycle.SpanHandler, 9*time.Second, step)
		addSpan(spans, lifecycle.SpanQuery, time.Second, step)
		addSpan(spans, lifecycle.SpanQueued, 5*time.Second, task)
		addSpan(spans, lifecycle.SpanBackoff, 2*time.Second, step)
		addSpan(spans, lifecycle.SpanFinalization, time.Second, task)
	})

	tests := []struct {
		metric, labels string
		count          uint64
		sum            float64
	}{
		{"tasker.task.executions", "status=cancelled task_name=order", 1, 0},
		{"tasker.task.duration", "status=cancelled task_name=order", 1, 60},
		{"tasker.step.executions", "status=failure step_name=charge task_name=order", 1, 0},
		{"tasker.step.duration", "status=failure step_name=charge task_name=order", 1, 10},
		{"tasker.step.retries", "step_name=charge task_name=order", 1, 0},
		{"tasker.errors", "error.type=Gateway::Timeout step_name=charge task_name=order", 1, 0},
		{"tasker.batch.duration", "task_name=order", 1, 20},
		{"tasker.batch.size", "task_name=order", 1, 4},
		{"tasker.orchestration.duration", "task_name=order", 1, 30},
		{"tasker.task.queue.duration", "task_name=order", 1, 5},
		{"tasker.step.backoff.duration", "step_name=charge task_name=order", 1, 2},
	}
	for _, test := range tests {
		t.Run(test.metric, func(t *testing.T) {
			points := read(md, test.metric)
			require.Len(t, points, 1)
			require.Contains(t, points, test.labels)
			require.Equal(t, test.count, points[test.labels].count)
			require.Equal(t, test.sum, points[test.labels].sum)
		})
	}
	require.Equal(t, len(tests), md.MetricCount(), "no other metric")
	require.Equal(t, map[string]int64{"": 6}, p.own(t, "recorded_spans"))
}

func TestWhatIsNotMeasured(t *testing.T) {
	md, p := measured(t, nil, func(spans ptrace.SpanSlice) {
		incomplete := map[string]any{lifecycle.AttrIncomplete: true, lifecycle.AttrStatus: "success"}
		synthesized := map[string]any{lifecycle.AttrSynthesized: true, lifecycle.AttrStatus: "success", lifecycle.AttrBatchSize: 1}
		addSpan(spans, lifecycle.SpanTask, time.Second, incomplete)
		addSpan(spans, lifecycle.SpanStep, time.Second, incomplete)
		addSpan(spans, lifecycle.SpanTask, time.Second, synthesized)
		addSpan(spans, lifecycle.SpanStep, time.Second, synthesized)
		addSpan(spans, lifecycle.SpanBatch, time.Second, synthesized)
		addSpan(spans, lifecycle.SpanOrchestration, time.Second, synthesized)
		addSpan(spans, lifecycle.SpanHandler, time.Second, synthesized)
		addSpan(spans, lifecycle.SpanBatch, time.Second, nil)
		addSpan(spans, lifecycle.SpanBatch, time.Second, map[string]any{lifecycle.AttrBatchSize: "many"})
		backwards := addSpan(spans, lifecycle.SpanTask, time.Second, nil)
		backwards.SetEndTimestamp(1)
	})
	require.Equal(t, map[string]uint64{"status=success": 2}, counts(read(md, "tasker.task.executions")))
	require.Equal(t, map[string]uint64{"status=success": 1}, counts(read(md, "tasker.task.duration")))
	require.Equal(t, map[string]uint64{"status=success": 1}, counts(read(md, "tasker.step.executions")))
	require.Equal(t, map[string]uint64{"": 2}, counts(read(md, "tasker.batch.duration")))
	require.Empty(t, read(md, "tasker.batch.size"), "one has no size, and the size of the other is no number")
	require.Empty(t, read(md, "tasker.orchestration.duration"))
	require.Equal(t, map[string]int64{"incomplete": 2, "synthesized": 2, "invalid_value": 2}, p.own(t, "skipped"))
	require.Equal(t, map[string]int64{"": 5}, p.own(t, "recorded_spans"))
}

func TestOtherScopes(t *testing.T) {
	p := newPair(t, nil)
	for _, scope := range []string{"rails", lifecycle.ScopeEvents} {
		td, spans := shopSpans(scope)
		addSpan(spans, lifecycle.SpanTask, time.Second, nil)
		p.consumeTraces(t, td)
	}
	p.stop(t)
	require.Empty(t, p.sink.AllMetrics())
	require.Equal(t, map[string]int64{"not_tasker": 1, "event_span": 1}, p.own(t, "skipped"))
}

func TestStatusWithoutAttribute(t *testing.T) {
	md, _ := measured(t, nil, func(spans ptrace.SpanSlice) {
		addSpan(spans, lifecycle.SpanStep, time.Second, nil)
		failed := addSpan(spans, lifecycle.SpanStep, time.Second, nil)
		failed.Status().SetCode(ptrace.StatusCodeError)
	})
	require.Equal(t, map[string]uint64{"status=success": 1, "status=failure": 1}, counts(read(md, "tasker.step.executions")))
	require.Equal(t, map[string]uint64{"error.type=_OTHER": 1}, counts(read(md, "tasker.errors")))
}

func TestDimensions(t *testing.T) {
	none := "none"
	md, _ := measured(t, func(cfg *Config) {
		cfg.Dimensions = []Dimension{
			{Name: "tasker.queue_name"}, {Name: "tasker.run"}, {Name: "service.namespace"}, {Name: "tenant", Default: &none},
		}
	}, func(spans ptrace.SpanSlice) {
		addSpan(spans, lifecycle.SpanTask, time.Second, map[string]any{
			lifecycle.AttrStatus: "success", lifecycle.AttrQueueName: "fast", lifecycle.AttrRun: 2,
		})
		addSpan(spans, lifecycle.SpanTask, time.Second, map[string]any{lifecycle.AttrStatus: "success", "tenant": "acme"})
	})
	require.Equal(t, map[string]uint64{
		"service.namespace=retail status=success tasker.queue_name=fast tasker.run=2 tenant=none": 1,
		"service.namespace=retail status=success tenant=acme":                                     1,
	}, counts(read(md, "tasker.task.executions")))
}

// Numbered batch workers fold into their template, also in declared metrics.
func TestNumberedStepsFold(t *testing.T) {
	tests := []struct{ name, fold string }{
		{"import_001", "import"},
		{"import_12345", "import"},
		{"import_02", "import_02"},
		{"import001", "import001"},
		{"_001", "_001"},
		{"v2_import", "v2_import"},
	}
	for _, fold := range []bool{true, false} {
		md, _ := measured(t, func(cfg *Config) {
			cfg.FoldNumberedSteps = fold
			cfg.Metrics = map[string]MetricConfig{"shop.attempts": {
				Type: "counter", SourceConfig: SourceConfig{Span: "step"}, Dimensions: []Dimension{{Name: "worker", Key: []string{"step_name"}}},
			}}
		}, func(spans ptrace.SpanSlice) {
			for _, test := range tests {
				addSpan(spans, lifecycle.SpanStep, time.Second, map[string]any{lifecycle.AttrStepName: test.name})
			}
		})
		builtIn, own := map[string]uint64{}, map[string]uint64{}
		for _, test := range tests {
			name := test.name
			if fold {
				name = test.fold
			}
			builtIn["status=success step_name="+name]++
			own["worker="+name]++
		}
		require.Equal(t, builtIn, counts(read(md, "tasker.step.executions")))
		require.Equal(t, own, counts(read(md, "shop.attempts")))
	}
}

func TestExemplars(t *testing.T) {
	md, _ := measured(t, func(cfg *Config) { cfg.Exemplars.MaxPerDataPoint = 2 }, func(spans ptrace.SpanSlice) {
		for i := range 9 {
			span := addSpan(spans, lifecycle.SpanOrchestration, time.Duration(9-i)*time.Second, nil)
			span.SetTraceID(pcommon.TraceID{byte(i + 1)})
			span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		}
	})
	dp := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	require.Equal(t, 2, dp.Exemplars().Len())
	require.Equal(t, 8.0, dp.Exemplars().At(0).DoubleValue())
	slowest := dp.Exemplars().At(1)
	require.Equal(t, 9.0, slowest.DoubleValue())
	require.Equal(t, pcommon.TraceID{1}, slowest.TraceID())
	require.Equal(t, pcommon.SpanID{1}, slowest.SpanID())
	require.Equal(t, pcommon.Timestamp(10_000_000_000), slowest.Timestamp())

	md, _ = measured(t, func(cfg *Config) { cfg.Exemplars.Enabled = false }, func(spans ptrace.SpanSlice) {
		addSpan(spans, lifecycle.SpanOrchestration, time.Second, nil)
	})
	require.Zero(t, read(md, "tasker.orchestration.duration")[""].exemplars)
}

func TestExplicitBuckets(t *testing.T) {
	md, _ := measured(t, func(cfg *Config) {
		cfg.Histogram.Explicit = configoptional.Some(ExplicitHistogramConfig{
			Buckets: []time.Duration{5 * time.Millisecond, time.Second},
		})
	}, func(spans ptrace.SpanSlice) {
		for _, took := range []time.Duration{0, 5 * time.Millisecond, 5*time.Millisecond + 1, time.Second, time.Second + 1, time.Hour} {
			addSpan(spans, lifecycle.SpanOrchestration, took, nil)
		}
	})
	dp := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	require.Equal(t, []float64{0.005, 1}, dp.ExplicitBounds().AsRaw())
	require.Equal(t, []uint64{2, 2, 2}, dp.BucketCounts().AsRaw())
	require.Equal(t, 3602.010000002, dp.Sum())
	require.Equal(t, 0.0, dp.Min())
	require.Equal(t, 3600.0, dp.Max())
}

func TestExponentialHistogram(t *testing.T) {
	md, _ := measured(t, func(cfg *Config) {
		cfg.Histogram.Exponential = configoptional.Some(ExponentialHistogramConfig{MaxSize: 5})
	}, func(spans ptrace.SpanSlice) {
		for _, took := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 256 * time.Second} {
			addSpan(spans, lifecycle.SpanOrchestration, took, nil)
		}
	})
	dp := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints().At(0)
	require.Equal(t, uint64(6), dp.Count())
	require.Equal(t, 266.0, dp.Sum())
	require.Equal(t, uint64(1), dp.ZeroCount())
	// Base 4, upper bounds inclusive: (1/4, 1] (1, 4] (4, 16] (16, 64] (64, 256].
	require.Equal(t, int32(-1), dp.Scale())
	require.Equal(t, int32(-1), dp.Positive().Offset())
	require.Equal(t, []uint64{1, 3, 0, 0, 1}, dp.Positive().BucketCounts().AsRaw())
}

func TestOverflow(t *testing.T) {
	md, p := measured(t, func(cfg *Config) { cfg.AggregationCardinalityLimit = 3 }, func(spans ptrace.SpanSlice) {
		for i := range 10 {
			addSpan(spans, lifecycle.SpanQueued, time.Second, map[string]any{lifecycle.AttrTaskName: strconv.Itoa(i)})
		}
	})
	require.Equal(t, map[string]uint64{"task_name=0": 1, "task_name=1": 1, "otel.metric.overflow=true": 8},
		counts(read(md, "tasker.task.queue.duration")))
	require.Equal(t, map[string]int64{"tasker.task.queue.duration aggregation_cardinality_limit": 8}, p.own(t, "overflowed"))
}

func TestOverflowOfApplications(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.MaxApplications = 1 })
	p.consumeTraces(t, oneTask())
	for range 2 {
		td := oneTask()
		td.ResourceSpans().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, "other")
		p.consumeTraces(t, td)
	}
	p.stop(t)
	overflow := p.sink.last().ResourceMetrics().At(1)
	require.Equal(t, map[string]any{"otel.metric.overflow": true, "service.instance.id": "collector-1"},
		overflow.Resource().Attributes().AsRaw())
	for _, metric := range overflow.ScopeMetrics().At(0).Metrics().All() {
		points := map[string]point{}
		readPoints(metric, points)
		require.Equal(t, map[string]uint64{"status=success task_name=order": 2}, counts(points))
	}
}
