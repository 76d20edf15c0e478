// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

var received = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// fixture is a router in front of a sink, with its own telemetry.
type fixture struct {
	*router
	sink *consumertest.LogsSink
	tel  *componenttest.Telemetry
}

func newFixture(t testing.TB, change func(*Config)) *fixture {
	t.Helper()
	sink := &consumertest.LogsSink{}
	f := newFixtureTo(t, change, sink)
	f.sink = sink
	return f
}

func newFixtureTo(t testing.TB, change func(*Config), next consumer.Logs) *fixture {
	t.Helper()
	cfg := createDefaultConfig()
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	tel := componenttest.NewTelemetry()
	r, err := newRouter(metadatatest.NewSettings(tel), cfg, next)
	require.NoError(t, err)
	r.now = func() time.Time { return received }
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.Shutdown(context.Background()), "twice")
		require.NoError(t, tel.Shutdown(context.Background()))
	})
	return &fixture{router: r, tel: tel}
}

// base is the origin of the items' times.
const base = pcommon.Timestamp(1_780_000_000_000_000_000)

// item is an event of the service shop.
type item struct {
	name  string
	at    pcommon.Timestamp // 0: absent
	attrs map[string]any
}

// tester is a test, a benchmark or a property.
type tester interface {
	require.TestingT
	Helper()
}

func logsOf(t tester, service string, items ...item) plog.Logs {
	t.Helper()
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, service)
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	for _, item := range items {
		record := scopeLogs.LogRecords().AppendEmpty()
		record.SetEventName(item.name)
		if item.at != 0 {
			record.SetTimestamp(base + item.at)
		}
		require.NoError(t, record.Attributes().FromRaw(item.attrs))
	}
	return logs
}

func records(all ...plog.Logs) []plog.LogRecord {
	var found []plog.LogRecord
	for _, logs := range all {
		for _, resourceLogs := range logs.ResourceLogs().All() {
			for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
				for _, record := range scopeLogs.LogRecords().All() {
					found = append(found, record)
				}
			}
		}
	}
	return found
}

// decoded returns the context of items from tasker_events.
func decoded() context.Context { return origin.Mark(context.Background(), origin.Decoder) }

func (f *fixture) consume(t testing.TB, logs plog.Logs) {
	t.Helper()
	require.NoError(t, f.ConsumeLogs(decoded(), logs))
}

func (f *fixture) kept() []plog.LogRecord { return records(f.sink.AllLogs()...) }

func points(key string, values map[string]int64) []metricdata.DataPoint[int64] {
	var list []metricdata.DataPoint[int64]
	for name, value := range values {
		list = append(list, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String(key, name)), Value: value})
	}
	return list
}

// An impossible time is replaced, recorded in an attribute and counted.
func TestClocks(t *testing.T) {
	f := newFixture(t, func(*Config) {})
	logs := logsOf(t, "shop", item{"task.completed", 1, nil}, item{"task.failed", 1, nil}, item{"task.cancelled", 0, nil})
	all := records(logs)
	all[0].SetTimestamp(1)
	all[0].Attributes().PutStr("tasker.timestamp", "2026-06-01T12:00:00Z")
	all[1].SetTimestamp(pcommon.NewTimestampFromTime(received.Add(25 * time.Hour)))
	all[2].SetObservedTimestamp(pcommon.NewTimestampFromTime(received.Add(25 * time.Hour)))
	f.consume(t, logs)
	require.Len(t, f.kept(), 3)
	assert.Equal(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), f.kept()[0].Timestamp().AsTime())
	for _, record := range f.kept()[1:] {
		assert.Equal(t, received, record.Timestamp().AsTime())
		clock, _ := record.Attributes().Get(lifecycle.AttrClock)
		assert.Equal(t, lifecycle.ClockReceipt, clock.Str())
	}
	metadatatest.AssertEqualProcessorEventRouterClockFallbacks(t, f.tel,
		points("clock", map[string]int64{"payload": 1, "receipt": 2}), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorEventRouterImpossibleTimes(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
}

// An application's own keys are not mistaken for a router's stamps: they stay, and distinguish events.
func TestPayloadKeysLikeStamps(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.DefaultSignals = []string{"logs"} })
	f.consume(t, logsOf(t, "shop",
		item{"order.placed", 10, map[string]any{"tasker.priority": "rush", "tasker.signals": []any{"green"}}},
		item{"order.placed", 10, map[string]any{"tasker.priority": "slow", "tasker.signals": []any{"green"}}},
	))
	require.Len(t, f.kept(), 2)
	for i, priority := range []string{"rush", "slow"} {
		assert.Equal(t, map[string]any{"tasker.priority": priority, "tasker.signals": []any{"green"}, "tasker.route.signals": "logs"},
			payloadOf(f.kept()[i]))
	}
}

// An event with a name too long for a label is dropped and gets no counter.
func TestLongNames(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.DefaultSignals = []string{"logs"} })
	long := strings.Repeat("a", lifecycle.MaxEventName+1)
	f.consume(t, logsOf(t, "shop", item{long, 10, nil}, item{long[1:], 10, nil}))
	require.Len(t, f.kept(), 1)
	assert.Equal(t, long[1:], f.kept()[0].EventName())
	assert.NotContains(t, f.statistics.names.All(), long)
	metadatatest.AssertEqualProcessorEventRouterDropped(t, f.tel, points("reason", map[string]int64{"long_name": 1}),
		metricdatatest.IgnoreTimestamp())
}

// payloadOf returns the attributes of a record without its identity.
func payloadOf(record plog.LogRecord) map[string]any {
	attrs := record.Attributes().AsRaw()
	delete(attrs, lifecycle.AttrIdentity)
	return attrs
}

// identityOf returns the identity of a record, or zero.
func identityOf(record plog.LogRecord) uint64 {
	identity, _ := eventrecord.Given(record)
	return identity
}

func TestStamps(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Routes = []routing.Route{{Event: "order.*", Signals: []string{"traces", "logs"}}}
	})
	f.consume(t, logsOf(t, "shop",
		item{"step.completed", 10, map[string]any{"tasker.task_id": int64(7), "tasker.route.priority": "stale"}},
		item{"observability.task.enqueue", 20, map[string]any{"tasker.task_id": int64(7)}},
		item{"tasker.order.placed", 0, nil},
	))
	require.Len(t, f.kept(), 3)

	completed := f.kept()[0]
	assert.Equal(t, map[string]any{"tasker.task_id": int64(7), "tasker.route.signals": "traces,metrics"}, payloadOf(completed))
	assert.Equal(t, lifecycle.TraceID("", "shop", "7"), completed.TraceID())
	identity, found := eventrecord.Given(completed)
	assert.True(t, found)
	assert.Equal(t, eventrecord.Fingerprint("step.completed", base+10, completed.Attributes()), identity)
	assert.True(t, completed.SpanID().IsEmpty(), "an event is no span")

	enqueue := f.kept()[1].Attributes().AsRaw()
	assert.Equal(t, "high", enqueue["tasker.route.priority"])
	assert.Equal(t, "traces,metrics", enqueue["tasker.route.signals"])

	placed := f.kept()[2]
	assert.Equal(t, "order.placed", placed.EventName())
	assert.Equal(t, "traces,logs", placed.Attributes().AsRaw()["tasker.route.signals"])
	assert.Equal(t, pcommon.NewTimestampFromTime(received), placed.Timestamp(), "the only clock there is")
	assert.Equal(t, pcommon.NewTimestampFromTime(received), placed.ObservedTimestamp())

	scope := f.sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).Scope()
	assert.Equal(t, lifecycle.ScopeEvents, scope.Name())
	metadatatest.AssertEqualProcessorEventRouterRouted(t, f.tel,
		points("signal", map[string]int64{"traces": 3, "metrics": 2, "logs": 1}), metricdatatest.IgnoreTimestamp())
}

func TestDrops(t *testing.T) {
	off, few := false, 1e-15
	f := newFixture(t, func(c *Config) {
		c.Routes = []routing.Route{
			{Event: "noise", Enabled: &off},
			{Event: "detail", Signals: []string{"traces", "logs"}, SamplingRate: &few},
			{Event: "counted", Signals: []string{"traces", "metrics"}, SamplingRate: &few},
		}
		c.FilteredEvents = []string{"step.*"}
	})
	f.consume(t, logsOf(t, "shop",
		item{name: ""}, item{name: "unknown"}, item{name: "noise"}, item{name: "step.completed"}, item{name: "detail"},
		item{"task.completed", 5, nil}, item{"task.completed", 5, nil}, item{name: "counted"},
	))
	require.Len(t, f.kept(), 2)
	assert.Equal(t, "metrics", f.kept()[1].Attributes().AsRaw()["tasker.route.signals"], "metrics are never sampled")

	f.consume(t, logsOf(t, "shop", item{name: "unknown"}))
	f.consume(t, plog.NewLogs())
	assert.Len(t, f.sink.AllLogs(), 1, "nothing is left, nothing is sent")

	metadatatest.AssertEqualProcessorEventRouterDropped(t, f.tel, points("reason", map[string]int64{
		"no_name": 1, "no_route": 2, "disabled": 1, "filtered": 1, "sampled": 1, "duplicate": 1,
	}), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorEventRouterKept(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
}

func TestStartWarnsOfWhatIsProbablyNotMeant(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.FilteredEvents = []string{"step.complete"}
	core, said := observer.New(zap.WarnLevel)
	set := metadatatest.NewSettings(componenttest.NewTelemetry())
	set.Logger = zap.New(core)
	r, err := newRouter(set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(context.Background()))
	require.Len(t, said.All(), 1)
	assert.Contains(t, said.All()[0].Message, `filtered_events[0]: "step.complete" is not an event of Tasker; did you mean "step.completed"?`)
}

func TestEmptiedPartsAreRemoved(t *testing.T) {
	f := newFixture(t, nil)
	logs := logsOf(t, "shop", item{name: "unknown"})
	logsOf(t, "bank", item{name: "task.failed"}).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	f.consume(t, logs)
	assert.Equal(t, 1, f.sink.AllLogs()[0].ResourceLogs().Len())
}

func TestSamplingKeepsWholeTasks(t *testing.T) {
	half := 0.5
	f := newFixture(t, func(c *Config) {
		c.SamplingRate = half
		c.Routes = []routing.Route{{Event: "a", Signals: []string{"traces"}}, {Event: "b", Signals: []string{"logs"}}}
	})
	const tasks = 400
	for task := range int64(tasks) {
		id := map[string]any{"tasker.task_id": task}
		f.consume(t, logsOf(t, "shop", item{"a", 1, id}, item{"b", 2, id}))
	}
	perTask := map[pcommon.TraceID]int{}
	for _, record := range f.kept() {
		perTask[record.TraceID()]++
	}
	for _, events := range perTask {
		assert.Equal(t, 2, events, "all of a task or nothing")
	}
	assert.InDelta(t, tasks/2, len(perTask), tasks/10)
}

func TestPayload(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Payload.Include = []string{"step_results"} })
	f.consume(t, logsOf(t, "shop", item{"step.completed", 1, map[string]any{
		"tasker.step_results": map[string]any{"customer_email": "a@b.c", "n": int64(1)},
		"tasker.step_inputs":  map[string]any{"n": int64(1)},
		"tasker.password":     "x",
		"tasker.sql":          "SELECT 1",
	}}))
	assert.Equal(t, map[string]any{
		"tasker.step_results":  map[string]any{"customer_email": "[FILTERED]", "n": int64(1)},
		"tasker.password":      "[FILTERED]",
		"tasker.sql":           "SELECT ?",
		"tasker.route.signals": "traces,metrics",
	}, payloadOf(f.kept()[0]))
	metadatatest.AssertEqualProcessorEventRouterRedactedValues(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorEventRouterRemovedValues(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestDuplicates(t *testing.T) {
	one := func() plog.Logs {
		return logsOf(t, "shop", item{"task.completed", 5, map[string]any{"tasker.task_id": int64(1)}})
	}

	f := newFixture(t, nil)
	f.consume(t, one())
	f.consume(t, one())
	assert.Len(t, f.kept(), 1)
	f.consume(t, logsOf(t, "bank", item{"task.completed", 5, map[string]any{"tasker.task_id": int64(1)}}))
	assert.Len(t, f.kept(), 2, "the same payload of another application is another event")
	metadatatest.AssertEqualProcessorEventRouterKnownEvents(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())

	f = newFixture(t, func(c *Config) { c.Deduplicate.Enabled = false })
	f.consume(t, one())
	f.consume(t, one())
	assert.Len(t, f.kept(), 2)
}

func TestRetryAfterAnErrorIsTaken(t *testing.T) {
	failure := errors.New("queue is full")
	answers := []error{failure, consumererror.NewPermanent(failure), nil, nil}
	taken := 0
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		answer := answers[0]
		answers = answers[1:]
		if answer == nil {
			taken += logs.LogRecordCount()
		}
		return answer
	})
	require.NoError(t, err)
	f := newFixtureTo(t, nil, next)
	send := func() error {
		return f.ConsumeLogs(context.Background(), logsOf(t, "shop", item{"task.completed", 5, nil}))
	}
	require.ErrorIs(t, send(), failure)
	require.ErrorIs(t, send(), failure)
	require.NoError(t, send())
	require.NoError(t, send(), "a duplicate now")
	assert.Equal(t, 1, taken)
	assert.Len(t, answers, 1, "the duplicate was not handed on")
	metadatatest.AssertEqualProcessorEventRouterKept(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestShutdownBeforeStart(t *testing.T) {
	tel := componenttest.NewTelemetry()
	r, err := newRouter(metadatatest.NewSettings(tel), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(context.Background()))
	assert.True(t, r.Capabilities().MutatesData)
	require.NoError(t, tel.Shutdown(context.Background()))
}

func TestStatistics(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.DefaultSignals = []string{"logs"}; c.FilteredEvents = []string{"noise.*"} })
	f.consume(t, logsOf(t, "shop",
		item{"task.completed", 5, nil}, item{"task.completed", 5, nil}, item{"task.completed", 6, nil},
		item{name: "noise.a"}, item{name: ""},
	))
	for i := range maxOwnNames + 1 {
		f.consume(t, logsOf(t, "shop", item{name: fmt.Sprintf("own.%d", i)}))
	}
	got, err := f.tel.GetMetric("otelcol_processor_event_router_events")
	require.NoError(t, err)
	counts := map[string]int64{}
	for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
		event, _ := point.Attributes.Value("event")
		decision, _ := point.Attributes.Value("decision")
		counts[event.AsString()+" "+decision.AsString()] = point.Value
	}
	assert.Len(t, counts, 2+maxOwnNames+1, "names are bounded")
	assert.EqualValues(t, 2, counts["task.completed traces,metrics"])
	assert.EqualValues(t, 1, counts["task.completed duplicate"])
	assert.EqualValues(t, 1, counts["noise.a filtered"])
	assert.EqualValues(t, 1, counts["own.0 logs"])
	assert.EqualValues(t, 2, counts["other logs"], "own.499 and own.500")
}

func TestWhatIsRefusedIsNotCounted(t *testing.T) {
	f := newFixtureTo(t, nil, consumertest.NewErr(errors.New("full")))
	require.Error(t, f.ConsumeLogs(context.Background(), logsOf(t, "shop", item{name: "task.completed"})))
	_, err := f.tel.GetMetric("otelcol_processor_event_router_events")
	require.Error(t, err, "no such metric")
}
