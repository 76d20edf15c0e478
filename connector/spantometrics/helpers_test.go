// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// sink stores consumed metrics, and fails while refusing is set.
type sink struct {
	consumertest.MetricsSink
	refusing atomic.Bool
}

var errRefused = errors.New("refused")

func (s *sink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if s.refusing.Load() {
		return errRefused
	}
	return s.MetricsSink.ConsumeMetrics(ctx, md)
}

// last returns the latest flush, or an empty one.
func (s *sink) last() pmetric.Metrics {
	all := s.AllMetrics()
	if len(all) == 0 {
		return pmetric.NewMetrics()
	}
	return all[len(all)-1]
}

// pair holds both inputs of a component ID, started.
type pair struct {
	traces connector.Traces
	logs   connector.Logs
	sink   *sink
	tel    *componenttest.Telemetry
}

func newPair(t *testing.T, change func(*Config)) *pair {
	t.Helper()
	p := &pair{sink: new(sink), tel: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, p.tel.Shutdown(context.Background())) })
	cfg := createDefaultConfig().(*Config)
	cfg.TrustReceived = true // test data is not marked as made by a component
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	settings := connectortest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = p.tel.NewTelemetrySettings()
	settings.Resource.Attributes().PutStr(lifecycle.AttrServiceInstanceID, "collector-1")
	settings.BuildInfo.Version = "1.2.3"
	factory := NewFactory()
	var err error
	p.traces, err = factory.CreateTracesToMetrics(t.Context(), settings, cfg, consumer.Metrics(p.sink))
	require.NoError(t, err)
	p.logs, err = factory.CreateLogsToMetrics(t.Context(), settings, cfg, consumer.Metrics(p.sink))
	require.NoError(t, err)
	require.NoError(t, p.traces.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, p.logs.Start(t.Context(), componenttest.NewNopHost()))
	return p
}

func (p *pair) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.traces.Shutdown(context.Background()))
	require.NoError(t, p.logs.Shutdown(context.Background()))
}

func (p *pair) consumeTraces(t *testing.T, td ptrace.Traces) {
	t.Helper()
	td.MarkReadOnly()
	require.NoError(t, p.traces.ConsumeTraces(t.Context(), td))
}

func (p *pair) consumeLogs(t *testing.T, ld plog.Logs) {
	t.Helper()
	ld.MarkReadOnly()
	require.NoError(t, p.logs.ConsumeLogs(t.Context(), ld))
}

// own returns a sum or gauge of the connector's internal telemetry by the value of its attribute.
func (p *pair) own(t *testing.T, name string) map[string]int64 {
	t.Helper()
	metric, err := p.tel.GetMetric("otelcol_connector_span_to_metrics_" + name)
	if err != nil {
		return nil
	}
	return ownPoints(metric)
}

// point is a data point of any type, for comparison.
type point struct {
	count     uint64
	sum       float64
	gauge     int64
	start     time.Time
	exemplars int
}

// read returns a metric's points that have a value by their labels, as "name=value name=value".
func read(md pmetric.Metrics, name string) map[string]point {
	found := map[string]point{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				if metric.Name() == name {
					readPoints(metric, found)
				}
			}
		}
	}
	return found
}

func readPoints(metric pmetric.Metric, into map[string]point) {
	switch metric.Type() {
	case pmetric.MetricTypeSum:
		for _, dp := range metric.Sum().DataPoints().All() {
			put(into, dp, point{count: uint64(dp.IntValue()), start: dp.StartTimestamp().AsTime()})
		}
	case pmetric.MetricTypeGauge:
		for _, dp := range metric.Gauge().DataPoints().All() {
			put(into, dp, point{gauge: dp.IntValue(), sum: dp.DoubleValue()})
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range metric.Histogram().DataPoints().All() {
			put(into, dp, point{
				count: dp.Count(), sum: dp.Sum(), start: dp.StartTimestamp().AsTime(), exemplars: dp.Exemplars().Len(),
			})
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range metric.ExponentialHistogram().DataPoints().All() {
			put(into, dp, point{
				count: dp.Count(), sum: dp.Sum(), start: dp.StartTimestamp().AsTime(), exemplars: dp.Exemplars().Len(),
			})
		}
	}
}

func put(into map[string]point, dp interface {
	Attributes() pcommon.Map
	Flags() pmetric.DataPointFlags
}, p point) {
	if !dp.Flags().NoRecordedValue() {
		into[labelText(dp.Attributes())] = p
	}
}

func labelText(attrs pcommon.Map) string {
	var words []string
	for key, value := range attrs.All() {
		words = append(words, key+"="+value.AsString())
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// counts returns the counts of points.
func counts(points map[string]point) map[string]uint64 {
	reduced := map[string]uint64{}
	for labels, p := range points {
		reduced[labels] = p.count
	}
	return reduced
}

// nonZero returns the values of points that are not zero.
func nonZero(points map[string]point) map[string]int64 {
	levels := gauges(points)
	maps.DeleteFunc(levels, func(_ string, level int64) bool { return level == 0 })
	return levels
}

// gauges returns the values of points.
func gauges(points map[string]point) map[string]int64 {
	reduced := map[string]int64{}
	for labels, p := range points {
		reduced[labels] = p.gauge
	}
	return reduced
}

// shopSpans makes traces of one application and returns their spans.
func shopSpans(scope string) (ptrace.Traces, ptrace.SpanSlice) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	rs.Resource().Attributes().PutStr(lifecycle.AttrServiceNamespace, "retail")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(scope)
	return td, ss.Spans()
}

// shopLogs makes logs of one application and returns their records.
func shopLogs() (plog.Logs, plog.LogRecordSlice) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(lifecycle.ScopeEvents)
	return ld, sl.LogRecords()
}

// lastID makes the IDs of test data unique.
var lastID atomic.Uint64

func freshID() pcommon.SpanID { return spanIDOf(lastID.Add(1)) }

func spanIDOf(number uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], number)
	return id
}

// addSpan adds a finished span with attributes and a unique ID.
func addSpan(spans ptrace.SpanSlice, name string, took time.Duration, attrs map[string]any) ptrace.Span {
	span := spans.AppendEmpty()
	span.SetName(name)
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(freshID())
	span.SetStartTimestamp(1_000_000_000)
	span.SetEndTimestamp(1_000_000_000 + pcommon.Timestamp(took))
	if err := span.Attributes().FromRaw(attrs); err != nil {
		panic(err)
	}
	return span
}

// addEvent adds an event of a task with a unique ID.
func addEvent(records plog.LogRecordSlice, name string, task byte, at time.Time, attrs map[string]any) {
	record := records.AppendEmpty()
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	if err := record.Attributes().FromRaw(attrs); err != nil {
		panic(err)
	}
	record.Attributes().PutStr(lifecycle.AttrEventID, freshID().String())
	if task != 0 {
		record.SetTraceID(pcommon.TraceID{task})
		record.Attributes().PutInt(lifecycle.AttrTaskID, int64(task))
	}
}

// finished marks a context as carrying finished spans of this process's span_hierarchy.
func finished(ctx context.Context) context.Context { return origin.Mark(ctx, origin.Hierarchy) }
