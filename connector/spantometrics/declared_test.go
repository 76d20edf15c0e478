// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func pointerTo[T any](value T) *T { return &value }

// orderPlaced returns three application events.
func orderPlaced() plog.Logs {
	ld, records := shopLogs()
	now := time.Now()
	addEvent(records, "order.placed", 1, now, map[string]any{"tasker.amount": 12.5, "tasker.currency": "EUR"})
	addEvent(records, "order.placed", 2, now.Add(-time.Minute), map[string]any{"tasker.amount": "40", "tasker.currency": "USD"})
	addEvent(records, "order.returned", 3, now, map[string]any{"tasker.amount": -3, "tasker.currency": "EUR"})
	return ld
}

func TestDeclaredMetricsOfEvents(t *testing.T) {
	byCurrency := []Dimension{{Name: "currency"}}
	one := func(count uint64, sum float64) point { return point{count: count, sum: sum} }
	tests := []struct {
		name   string
		metric MetricConfig
		want   map[string]point
	}{
		{"counter", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.placed"}}}, map[string]point{"": one(2, 0)}},
		{"counter of a glob", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}}}, map[string]point{"": one(3, 0)}},
		{"labels of the payload", MetricConfig{Type: "counter", Dimensions: byCurrency, SourceConfig: SourceConfig{Event: []string{"order.*"}}},
			map[string]point{"currency=EUR": one(2, 0), "currency=USD": one(1, 0)}},
		{"renamed, from the resource, and by default", MetricConfig{Type: "counter", Dimensions: []Dimension{
			{Name: "money", Key: []string{"tasker.currency"}}, {Name: "app", Key: []string{"service.name"}}, {Name: "region", Default: pointerTo("none")}, {Name: "absent"},
		}, SourceConfig: SourceConfig{Event: []string{"order.returned"}}}, map[string]point{"app=shop money=EUR region=none": one(1, 0)}},
		{"histogram", MetricConfig{Type: "histogram", Value: []string{"amount"}, Dimensions: byCurrency, SourceConfig: SourceConfig{Event: []string{"order.placed"}}},
			map[string]point{"currency=EUR": one(1, 12.5), "currency=USD": one(1, 40)}},
		{"in", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "currency", In: []string{"USD", "GBP"}}}}},
			map[string]point{"": one(1, 0)}},
		{"not in", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "tasker.currency", NotIn: []string{"USD"}}}}},
			map[string]point{"": one(2, 0)}},
		{"matches", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "currency", Matches: "U*"}}}},
			map[string]point{"": one(1, 0)}},
		{"range", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "amount", Min: pointerTo(0.0), Max: pointerTo(20.0)}}}},
			map[string]point{"": one(1, 0)}},
		{"exists", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "service.name", Exists: pointerTo(true)}}}},
			map[string]point{"": one(3, 0)}},
		{"does not exist", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "amount", Exists: pointerTo(false)}}}},
			map[string]point{}},
		{"all conditions", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "currency", In: []string{"EUR"}}, {Key: "amount", Min: pointerTo(0.0)}}}},
			map[string]point{"": one(1, 0)}},
		{"disabled", MetricConfig{Enabled: pointerTo(false), Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.placed"}}}, map[string]point{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, func(cfg *Config) { cfg.Metrics = map[string]MetricConfig{"shop.orders": test.metric} })
			p.consumeLogs(t, orderPlaced())
			p.stop(t)
			got := read(p.sink.last(), "shop.orders")
			for labels, p := range got {
				p.start, p.exemplars = time.Time{}, 0
				got[labels] = p
			}
			require.Equal(t, test.want, got)
		})
	}
}

// double returns the value of a metric with one point.
func double(t *testing.T, md pmetric.Metrics, name string) float64 {
	t.Helper()
	for _, metric := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		switch {
		case metric.Name() != name:
		case metric.Type() == pmetric.MetricTypeSum:
			require.True(t, metric.Sum().IsMonotonic())
			return metric.Sum().DataPoints().At(0).DoubleValue()
		default:
			return metric.Gauge().DataPoints().At(0).DoubleValue()
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// A counter adds non-negative values, and a gauge is the newest value by event time.
func TestDeclaredCountersAndGaugesOfValues(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		of := func(event string) SourceConfig { return SourceConfig{Event: []string{event}} }
		cfg.Metrics = map[string]MetricConfig{
			"shop.revenue": {Type: "counter", Value: []string{"total", "amount"}, Unit: "{EUR}", Description: "What was sold.", SourceConfig: of("order.*")},
			"shop.cents":   {Type: "counter", Value: []string{"amount"}, Scale: 100, SourceConfig: of("order.placed")},
			"shop.newest":  {Type: "gauge", Value: []string{"amount"}, SourceConfig: of("order.placed")},
			"shop.balance": {Type: "gauge", Value: []string{"amount"}, SourceConfig: of("order.returned")},
		}
	})
	p.consumeLogs(t, orderPlaced())
	p.stop(t)
	require.Equal(t, 52.5, double(t, p.sink.last(), "shop.revenue"))
	require.Equal(t, 5250.0, double(t, p.sink.last(), "shop.cents"))
	require.Equal(t, 12.5, double(t, p.sink.last(), "shop.newest"), "the other came later and is older")
	require.Equal(t, -3.0, double(t, p.sink.last(), "shop.balance"))
	require.Equal(t, map[string]int64{"invalid_value": 1}, p.own(t, "skipped"), "a counter cannot go down")
}

// TestCountersBeyond64Bits adds up values that are stored with six decimals, in both temporalities and across a restart.
func TestCountersBeyond64Bits(t *testing.T) {
	const each, values = 9e12, 5
	for _, temporality := range []string{cumulative, delta} {
		w := newWorld(t, func(cfg *Config) {
			cfg.AggregationTemporality = temporality
			cfg.Metrics = map[string]MetricConfig{"shop.revenue": {Type: "counter", Value: []string{"amount"}, SourceConfig: SourceConfig{Event: []string{"order.placed"}}}}
		})
		c := w.begin()
		for task := range byte(values) {
			ld, records := shopLogs()
			addEvent(records, "order.placed", task, time.Now(), map[string]any{"tasker.amount": each})
			require.NoError(t, batch{ld: ld}.consume(c))
			if task == 3 {
				refused := c.state.Series.Collect(c.clock.now())
				c.state.Series.Restore(&refused)
				require.NoError(t, c.persistence.Load().commit(context.Background()))
				w.crash()
				c = w.begin()
			}
		}
		snapshot := c.state.Series.Collect(c.clock.now())
		require.Equal(t, values*each, double(t, c.converter.Metrics(&snapshot), "shop.revenue"))
	}
}

// TestTimesOfTheFuture sends an event whose clock is far ahead: later events replace its value.
func TestTimesOfTheFuture(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		cfg.Metrics = map[string]MetricConfig{"shop.newest": {Type: "gauge", Value: []string{"amount"}, SourceConfig: SourceConfig{Event: []string{"order.placed"}}}}
	})
	for amount, at := range []time.Time{time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().Add(time.Second)} {
		ld, records := shopLogs()
		addEvent(records, "order.placed", 1, at, map[string]any{"tasker.amount": amount})
		p.consumeLogs(t, ld)
	}
	p.stop(t)
	require.Equal(t, 1.0, double(t, p.sink.last(), "shop.newest"))
}

// A metric measures an item once, even if several of its sources match.
func TestSeveralSources(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		cfg.Metrics = map[string]MetricConfig{"shop.trouble": {
			Type: "counter",
			Sources: []SourceConfig{
				{Event: []string{"order.returned", "order.lost"}},
				{Event: []string{"order.*"}, Conditions: []ConditionConfig{{Key: "currency", In: []string{"EUR"}}}},
				{Span: "step", Conditions: []ConditionConfig{{Key: "tasker.status", In: []string{"failure"}}}},
				{Detected: []string{"performance.*"}},
			},
			SourceConfig: SourceConfig{Conditions: []ConditionConfig{{Key: "amount", NotIn: []string{"13"}}}},
			Dimensions:   []Dimension{{Name: "kind", Key: []string{"operation", "currency", "step_name"}}, {Name: "what", Key: []string{"event.name"}}},
		}}
	})
	p.consumeLogs(t, orderPlaced())
	td, spans := shopSpans(lifecycle.ScopeSpans)
	failed := addSpan(spans, lifecycle.SpanStep, time.Second, map[string]any{lifecycle.AttrStepName: "pay_001"})
	failed.Status().SetCode(ptrace.StatusCodeError)
	addSpan(spans, lifecycle.SpanStep, time.Second, map[string]any{lifecycle.AttrStepName: "ship"})
	for _, attrs := range []map[string]any{{lifecycle.AttrOperation: "export"}, {}, {"amount": 13}} {
		slow := addSpan(spans, lifecycle.SpanHandler, time.Second, map[string]any{lifecycle.AttrStepName: "pay", "amount": 12}).Events().AppendEmpty()
		slow.SetName(lifecycle.PerformanceSlowOperation)
		require.NoError(t, slow.Attributes().FromRaw(attrs))
		slow.Attributes().PutStr(lifecycle.AttrDetectedBy, lifecycle.DetectedBySpanHierarchy)
	}
	p.consumeTraces(t, td)
	p.stop(t)
	require.Equal(t, map[string]uint64{
		"kind=EUR what=order.placed": 1, "kind=EUR what=order.returned": 1, "kind=pay": 1,
		"kind=export what=performance.slow_operation": 1, "kind=pay what=performance.slow_operation": 1,
	}, counts(read(p.sink.last(), "shop.trouble")))
}

func TestDeclaredMetricsOfSpans(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		ofHandlers := SourceConfig{Span: "handler"}
		cfg.Metrics = map[string]MetricConfig{
			"shop.handler.time": {Type: "histogram", Value: []string{"duration"}, Dimensions: []Dimension{{Name: "step", Key: []string{"step_name"}}}, SourceConfig: ofHandlers},
			"shop.slow_steps":   {Type: "counter", SourceConfig: SourceConfig{Span: "step", Conditions: []ConditionConfig{{Key: "tasker.attempt_number", Min: pointerTo(2.0)}}}},
			"shop.native": {Type: "histogram", Value: []string{"duration"}, SourceConfig: ofHandlers,
				Histogram: MetricHistogramConfig{Exponential: configoptional.Some(ExponentialHistogramConfig{})}},
		}
	})
	td, spans := shopSpans(lifecycle.ScopeSpans)
	addSpan(spans, lifecycle.SpanHandler, 1500*time.Millisecond, map[string]any{lifecycle.AttrStepName: "pay"})
	addSpan(spans, lifecycle.SpanHandler, time.Second, map[string]any{lifecycle.AttrStepName: "pay", lifecycle.AttrIncomplete: true})
	addSpan(spans, lifecycle.SpanStep, time.Second, map[string]any{lifecycle.AttrStepName: "pay", lifecycle.AttrAttemptNumber: 2})
	addSpan(spans, lifecycle.SpanStep, time.Second, map[string]any{lifecycle.AttrStepName: "pay", lifecycle.AttrAttemptNumber: 1})
	p.consumeTraces(t, td)
	p.consumeTraces(t, td)
	p.stop(t)
	got := read(p.sink.last(), "shop.handler.time")["step=pay"]
	require.Equal(t, uint64(1), got.count)
	require.Equal(t, 1.5, got.sum)
	require.Equal(t, 1, got.exemplars)
	require.Equal(t, map[string]uint64{"": 1}, counts(read(p.sink.last(), "shop.slow_steps")))
	require.Equal(t, 1.5, read(p.sink.last(), "shop.native")[""].sum)
}

func TestBuiltInMetricsAreChanged(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		cfg.Dimensions = []Dimension{{Name: "queue", Key: []string{"queue_name"}}}
		cfg.ExcludeDimensions = []string{"status"}
		cfg.Metrics = map[string]MetricConfig{
			"tasker.task.executions": {Enabled: pointerTo(false)},
			"tasker.task.duration": {ExcludeDimensions: []string{"task_name", "queue"}, Dimensions: []Dimension{{Name: "region"}},
				Histogram: MetricHistogramConfig{Explicit: configoptional.Some(MetricBucketsConfig{Buckets: []float64{0.5, 2}})}},
			"tasker.events":       {Dimensions: []Dimension{{Name: "task_name"}}},
			"tasker.tasks.active": {ExcludeDimensions: []string{"task_name"}},
			"tasker.steps.active": {Enabled: pointerTo(false)},
		}
	})
	td, spans := shopSpans(lifecycle.ScopeSpans)
	attrs := map[string]any{lifecycle.AttrTaskName: "order", "tasker.queue_name": "fast", "tasker.region": "north", lifecycle.AttrStepName: "pay"}
	addSpan(spans, lifecycle.SpanTask, time.Second, attrs)
	addSpan(spans, lifecycle.SpanStep, time.Second, attrs)
	p.consumeTraces(t, td)
	ld, records := shopLogs()
	addEvent(records, lifecycle.WorkflowTaskStarted, 1, time.Now(), map[string]any{lifecycle.AttrTaskName: "order"})
	addEvent(records, lifecycle.WorkflowTaskStarted, 2, time.Now(), map[string]any{lifecycle.AttrTaskName: "refund"})
	addEvent(records, lifecycle.StepExecutionRequested, 2, time.Now(), map[string]any{lifecycle.AttrStepID: 1})
	p.consumeLogs(t, ld)
	p.stop(t)
	md := p.sink.last()
	require.Empty(t, read(md, "tasker.task.executions"))
	require.Equal(t, map[string]uint64{"region=north": 1}, counts(read(md, "tasker.task.duration")))
	require.Equal(t, map[string]uint64{"queue=fast step_name=pay task_name=order": 1}, counts(read(md, "tasker.step.executions")))
	require.Equal(t, map[string]uint64{
		"event=workflow.task_started task_name=order": 1, "event=workflow.task_started task_name=refund": 1,
		"event=step.execution_requested": 1,
	}, counts(read(md, "tasker.events")))
	require.Equal(t, map[string]int64{"state=running": 2}, gauges(read(md, "tasker.tasks.active")))
	require.Empty(t, read(md, "tasker.steps.active"))
}

func TestIDsInLabelsAreReplaced(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		cfg.Dimensions = []Dimension{{Name: "tenant"}, {Name: "insisted"}}
		cfg.AllowUnbounded = []string{"insisted"}
	})
	const id = "0198c5a1-6f2e-7c3a-9d4b-1f2e3d4c5b6a"
	td, spans := shopSpans(lifecycle.ScopeSpans)
	addSpan(spans, lifecycle.SpanTask, time.Second, map[string]any{lifecycle.AttrTaskName: id, "tenant": "tsk_mpv5pc29_Qc4wHQ", "tasker.insisted": id})
	p.consumeTraces(t, td)
	p.stop(t)
	require.Equal(t, map[string]uint64{"insisted=" + id + " status=success task_name=_id tenant=_id": 1}, counts(read(p.sink.last(), "tasker.task.executions")))
	require.Equal(t, map[string]int64{"id": 2}, p.own(t, "replaced_labels"))
}

// TestLabelsThatReceiversWouldRefuse sends label values that Prometheus rejects or that are too long.
func TestLabelsThatReceiversWouldRefuse(t *testing.T) {
	p := newPair(t, func(cfg *Config) {
		cfg.Metrics = map[string]MetricConfig{"shop.orders": {
			Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.placed"}}, Dimensions: []Dimension{{Name: "channel", Default: pointerTo("none")}},
		}}
	})
	ld, records := shopLogs()
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop\xff")
	for task, channel := range []any{"web\xff\xfe", strings.Repeat("é", 600), "", nil, 7} {
		addEvent(records, "order.placed", byte(task), time.Now(), map[string]any{"tasker.channel": channel})
	}
	p.consumeLogs(t, ld)
	p.stop(t)
	require.Equal(t, map[string]uint64{
		"channel=web\uFFFD": 1, "channel=" + strings.Repeat("é", 510) + "…": 1, "channel=none": 2, "channel=7": 1,
	}, counts(read(p.sink.last(), "shop.orders")))
	service, _ := p.sink.last().ResourceMetrics().At(0).Resource().Attributes().Get(lifecycle.AttrServiceName)
	require.Equal(t, "shop\uFFFD", service.Str())
	require.Equal(t, map[string]int64{"too_long": 1, "not_utf8": 2}, p.own(t, "replaced_labels"))
}

func TestOperationsThatSpanHierarchyFoundSlow(t *testing.T) {
	p := newPair(t, nil)
	td, spans := shopSpans(lifecycle.ScopeSpans)
	found := func(name, event, operation, by string) {
		added := addSpan(spans, name, time.Second, nil).Events().AppendEmpty()
		added.SetName(event)
		added.Attributes().PutStr(lifecycle.AttrOperation, operation)
		if by != "" {
			added.Attributes().PutStr(lifecycle.AttrDetectedBy, by)
		}
	}
	found(lifecycle.SpanQuery, lifecycle.PerformanceSlowSQLQuery, "SELECT orders", lifecycle.DetectedBySpanHierarchy)
	found(lifecycle.SpanStep, lifecycle.PerformanceSlowOperation, "pay", lifecycle.DetectedBySpanHierarchy)
	found(lifecycle.SpanHandler, lifecycle.PerformanceMemorySpike, "pay", lifecycle.DetectedBySpanHierarchy)
	for _, worker := range []string{"import_001", "import_002", "import_199"} { // would be three series
		found(lifecycle.SpanStep, lifecycle.PerformanceSlowOperation, worker, lifecycle.DetectedBySpanHierarchy)
	}
	found(lifecycle.SpanHandler, lifecycle.PerformanceSlowOperation, "pay", "") // detected by the engine, whose event is counted
	p.consumeTraces(t, td)
	p.consumeTraces(t, td)
	p.stop(t)
	require.Equal(t, map[string]uint64{"operation=SELECT orders": 1, "operation=pay": 2, "operation=import": 3}, counts(read(p.sink.last(), "tasker.slow_operations")))
}

// Exemplars of events refer to the span of their task, in the trace that contains it.
func TestExemplarsOfEvents(t *testing.T) {
	p := newPair(t, nil)
	ld, records := shopLogs()
	attrs := map[string]any{lifecycle.AttrDuration: 2.5, lifecycle.AttrSQL: "SELECT 1 FROM orders"}
	addEvent(records, lifecycle.DatabaseQueryExecuted, 1, time.Now(), attrs)
	attrs[lifecycle.AttrDuration] = 3.5
	attrs[lifecycle.AttrTraceparent] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	addEvent(records, lifecycle.DatabaseQueryExecuted, 2, time.Now(), attrs)
	p.consumeLogs(t, ld)
	p.stop(t)
	found := map[float64]pmetric.Exemplar{}
	for _, metric := range p.sink.last().ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if metric.Name() == "tasker.sql.duration" {
			for _, exemplar := range metric.Histogram().DataPoints().At(0).Exemplars().All() {
				found[exemplar.DoubleValue()] = exemplar
			}
		}
	}
	require.Len(t, found, 2)
	require.Equal(t, pcommon.TraceID{1}, found[2.5].TraceID())
	require.Equal(t, lifecycle.SpanID(pcommon.TraceID{1}, lifecycle.SpanTask, "", 0), found[2.5].SpanID())
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", found[3.5].TraceID().String())
	require.Equal(t, lifecycle.SpanID(pcommon.TraceID{2}, lifecycle.SpanTask, "", 0), found[3.5].SpanID())
}

// TestBuiltInLabels measures one of everything and compares the labels with the declarations.
func TestBuiltInLabels(t *testing.T) {
	p := newPair(t, nil)
	_, items := readEvents(t, "planned")
	require.NotEmpty(t, items)
	ld, _ := readEvents(t, "planned")
	p.consumeLogs(t, ld)
	for _, task := range readTruth(t, "mixed") {
		p.consumeTraces(t, finishedSpans(task, expectations{}))
	}
	p.stop(t)
	for name, declared := range declaration.BuiltIn() {
		labels := declaration.Names(declared.Dimensions)
		for text := range read(p.sink.last(), name) {
			for _, label := range labelNames(text) {
				require.Contains(t, labels, label, name)
			}
		}
	}
}

// labelNames returns the names in "name=value name=value".
func labelNames(text string) (names []string) {
	for word := range strings.FieldsSeq(text) {
		if name, _, found := strings.Cut(word, "="); found {
			names = append(names, name)
		}
	}
	return names
}

// TestActiveMetricsAreChanged removes the state, adds a label, and disables the metrics of open tasks.
func TestActiveMetricsAreChanged(t *testing.T) {
	off := pointerTo(false)
	for name, test := range map[string]struct {
		metrics              map[string]MetricConfig
		tasks, steps, oldest []string
	}{
		"as they are": {nil, []string{"state=queued task_name=order", "state=running task_name=order"}, []string{"step_name=pay"}, []string{"task_name=order"}},
		"without the state": {
			map[string]MetricConfig{declaration.ActiveTasks: {ExcludeDimensions: []string{"state"}}},
			[]string{"task_name=order"}, []string{"step_name=pay"}, []string{"task_name=order"},
		},
		"another label": {
			map[string]MetricConfig{declaration.ActiveTasks: {ExcludeDimensions: []string{"task_name"}, Dimensions: []Dimension{{Name: "region"}}}},
			[]string{"region=north state=queued", "region=north state=running"}, []string{"step_name=pay"}, []string{"region=north"},
		},
		"no age":   {map[string]MetricConfig{"tasker.tasks.oldest_active_age": {Enabled: off}}, []string{"state=queued task_name=order", "state=running task_name=order"}, []string{"step_name=pay"}, nil},
		"no tasks": {map[string]MetricConfig{declaration.ActiveTasks: {Enabled: off}}, nil, []string{"step_name=pay"}, nil},
		"nothing":  {map[string]MetricConfig{declaration.ActiveTasks: {Enabled: off}, "tasker.steps.active": {Enabled: off}}, nil, nil, nil},
	} {
		p := newPair(t, func(cfg *Config) { cfg.Metrics = test.metrics })
		ld, records := shopLogs()
		attrs := map[string]any{lifecycle.AttrTaskName: "order", lifecycle.AttrStepName: "pay", lifecycle.AttrStepID: 1, "tasker.region": "north"}
		addEvent(records, lifecycle.TaskStartRequested, 1, time.Now(), attrs)
		addEvent(records, lifecycle.StepExecutionRequested, 1, time.Now(), attrs)
		addEvent(records, lifecycle.StepExecutionRequested, 2, time.Now().Add(time.Millisecond), attrs)
		addEvent(records, lifecycle.StepCompleted, 2, time.Now().Add(2*time.Millisecond), attrs)
		p.consumeLogs(t, ld)
		p.stop(t)
		for metric, want := range map[string][]string{
			declaration.ActiveTasks: test.tasks, "tasker.steps.active": test.steps, "tasker.tasks.oldest_active_age": test.oldest,
		} {
			got := read(p.sink.last(), metric)
			maps.DeleteFunc(got, func(_ string, p point) bool { return p.gauge == 0 && p.sum == 0 })
			require.ElementsMatch(t, want, slices.Collect(maps.Keys(got)), "%s: %s", name, metric)
		}
	}
}
