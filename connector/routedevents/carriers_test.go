// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// carried returns logs in which most events are in batches, in the same order. At random a batch ends, or an event stays a record.
func carried(logs plog.Logs, random *rand.Rand) plog.Logs {
	all := plog.NewLogs()
	var w eventbatch.RecordWriter
	for _, from := range logs.ResourceLogs().All() {
		resource := all.ResourceLogs().AppendEmpty()
		from.Resource().CopyTo(resource.Resource())
		resource.SetSchemaUrl(from.SchemaUrl())
		for _, fromScope := range from.ScopeLogs().All() {
			scope := resource.ScopeLogs().AppendEmpty()
			fromScope.Scope().CopyTo(scope.Scope())
			w.Reset(0)
			end := func(observed pcommon.Timestamp) {
				if w.Events() > 0 {
					eventbatch.Put(scope.LogRecords().AppendEmpty(), w.Batch(), w.Events(), observed)
					w.Reset(0)
				}
			}
			for _, record := range fromScope.LogRecords().All() {
				if random.IntN(8) == 0 {
					end(record.ObservedTimestamp())
				}
				if random.IntN(8) != 0 && addRecord(&w, record) {
					continue
				}
				end(record.ObservedTimestamp())
				record.CopyTo(scope.LogRecords().AppendEmpty())
			}
			end(received)
		}
	}
	return all
}

// packed returns logs in which the events of each resource are in one batch.
func packed(t testing.TB, logs plog.Logs) plog.Logs {
	t.Helper()
	all := copyOf(logs)
	var w eventbatch.RecordWriter
	for _, resource := range all.ResourceLogs().All() {
		records := resource.ScopeLogs().At(0).LogRecords()
		w.Reset(0)
		records.RemoveIf(func(record plog.LogRecord) bool { return addRecord(&w, record) })
		require.Zero(t, records.Len())
		eventbatch.Put(records.AppendEmpty(), w.Batch(), w.Events(), received)
	}
	return all
}

func addRecord(w *eventbatch.RecordWriter, record plog.LogRecord) bool {
	attrs := record.Attributes()
	identity, _ := eventrecord.Given(record)
	head := eventbatch.Head{
		TraceID: record.TraceID(), Identity: identity, Time: record.Timestamp(),
		Routed: eventrecord.Routed(record), Signals: eventrecord.SignalsOf(attrs), Priority: lifecycle.PriorityNormal,
	}
	return w.Add(record, &head, func(key string) bool { return !eventrecord.IsStamp(key) })
}

// routedAtRandom gives events any signals, and takes the names, tasks or router from some.
func routedAtRandom(logs plog.Logs, random *rand.Rand) plog.Logs {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				signals := lifecycle.Signals(random.IntN(int(lifecycle.SignalsAll) + 1))
				record.Attributes().PutStr(lifecycle.AttrSignals, signals.String())
				switch random.IntN(30) {
				case 0:
					record.SetEventName("")
				case 1:
					record.SetTraceID(pcommon.TraceID{})
				case 2:
					record.Attributes().Remove(lifecycle.AttrSignals)
				case 3:
					record.Attributes().PutStr(lifecycle.AttrTraceparent, fmt.Sprintf("00-%032x-%016x-01", random.Uint64()|1, random.Uint64()|1))
				case 4:
					record.SetEventName("order.placed")
				}
			}
		}
	}
	return logs
}

func recordsOf(t testing.TB, logs plog.Logs) plog.Logs {
	t.Helper()
	records, err := eventbatch.Records(logs)
	require.NoError(t, err)
	return records
}

// sorted returns spans by their ids.
func sorted(td ptrace.Traces) []streamtest.Span {
	return slices.SortedFunc(slices.Values(streamtest.FromTraces(td)), func(a, b streamtest.Span) int { return bytes.Compare(a.SpanID[:], b.SpanID[:]) })
}

// differences returns the first elements in which two lists differ.
func differences[T any](want, got []T) string {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			return fmt.Sprintf("%d elements, not %d", len(got), len(want))
		}
		if !assert.ObjectsAreEqual(want[i], got[i]) {
			return fmt.Sprintf("%d: want %+v\ngot %+v", i, want[i], got[i])
		}
	}
	return ""
}

// countsOf returns the counts of events by their attributes.
func countsOf(t testing.TB, tel *componenttest.Telemetry) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, name := range []string{"converted", "dropped"} {
		metric, err := tel.GetMetric("otelcol_connector_routed_events_" + name)
		if err != nil {
			continue // nothing has been counted
		}
		for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
			counts[name+fmt.Sprint(point.Attributes.ToSlice())] = point.Value
		}
	}
	return counts
}

var streams = []string{streamtest.OrderProcessing, streamtest.Mixed, streamtest.Planned, "real/" + streamtest.RealLinear, "real/" + streamtest.RealRetry}

// Events in batches make the same records as records, and are counted in the same way, with each setting.
func TestRecordsOfCarriers(t *testing.T) {
	for i, name := range streams {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), 2))
			logs := routedAtRandom(routedStream(t, name), random)
			for setting, change := range map[string]func(*Config){
				"once":   func(*Config) {},
				"fewer":  func(cfg *Config) { cfg.Records, cfg.MinSeverity = []string{lifecycle.TaskStarted}, "info" },
				"all":    func(cfg *Config) { cfg.Announcements, cfg.MinSeverity = announcementsAll, "debug" },
				"severe": func(cfg *Config) { cfg.MinSeverity = "warn" },
			} {
				of, in := startRecording(t, nil, change), startRecording(t, nil, change)
				for _, part := range dealt(logs, random) {
					batches := carried(part, random)
					before := copyOf(batches)
					require.NoError(t, of.events.ConsumeLogs(t.Context(), recordsOf(t, batches)))
					require.NoError(t, in.events.ConsumeLogs(t.Context(), batches))
					require.Equal(t, before, batches, "the input is only read")
				}
				require.True(t, setting == "severe" || len(of.records) > 0)
				require.Empty(t, differences(of.records, in.records), setting)
				require.Equal(t, countsOf(t, of.tel), countsOf(t, in.tel), setting)
			}
		})
	}
}

// Each fact is one record also if the events come in batches.
func TestEachFactOfCarriersIsOneRecord(t *testing.T) {
	for i, name := range streams {
		logs := routedAsBuiltIn(routedStream(t, name))
		events, _ := eventSpans(logs, true)
		random := rand.New(rand.NewPCG(uint64(i), 3))
		facts, _ := outcomesAndStarts(recordAll(t, carried(logs, random), trees(events), random))
		require.Empty(t, compareFacts(t, name, facts), name)
	}
}

// Events in batches become the same spans as records, and are counted in the same way. Trees of what is passed on in batches are the
// same, too.
func TestSpansOfCarriers(t *testing.T) {
	for i, name := range streams {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), 4))
			logs := routedAtRandom(routedStream(t, name), random)
			for _, part := range append(dealt(logs, random), logs) {
				batches := carried(part, random)
				before := copyOf(batches)
				want, wantCounts := eventSpans(recordsOf(t, batches), true)
				each, counts, err := (&toTraces{whole: true}).convert(batches)
				require.NoError(t, err)
				require.Equal(t, wantCounts, counts)
				require.Empty(t, differences(streamtest.FromTraces(want), streamtest.FromTraces(each)))
				together, counts, err := newBatcher().spans(batches)
				require.NoError(t, err)
				require.Equal(t, wantCounts, counts)
				require.Equal(t, counts.converted, eventsOfAll(together))
				require.Equal(t, before, batches, "the input is only read")
				require.Empty(t, differences(sorted(trees(want)), sorted(trees(together))))
			}
		})
	}
}

func eventsOfAll(td ptrace.Traces) (n int64) {
	for _, rs := range td.ResourceSpans().All() {
		n += eventsIn(rs.ScopeSpans().At(0).Spans())
	}
	return n
}

// A batch is passed on without a copy, in a span with the ids and the time of its first event for traces, and their number. The other
// events of the resource are in one more span.
func TestABatchIsPassedOnAsItIs(t *testing.T) {
	logs := logsOf(t,
		routed{"order.placed", "logs", task, pcommon.SpanID{1}, nil},
		routed{"step.completed", "traces", task, eventAt, map[string]any{"tasker.task_id": int64(7)}},
		routed{"step.failed", "traces,logs", task, pcommon.SpanID{2}, map[string]any{"tasker.task_id": int64(7)}},
	)
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	var w eventbatch.RecordWriter
	var batches []eventbatch.Batch
	for _, events := range [][]int{{0, 1, 2}, {0}, {2, 0}} {
		w.Reset(0)
		for _, i := range events {
			require.True(t, addRecord(&w, records.At(i)))
		}
		batches = append(batches, w.Batch())
		eventbatch.Put(records.AppendEmpty(), batches[len(batches)-1], w.Events(), received)
	}
	traces, counts, err := newBatcher().spans(logs)
	require.NoError(t, err)
	require.EqualValues(t, 5, counts.converted)
	require.EqualValues(t, 4, counts.notRouted)
	require.Equal(t, 1, traces.ResourceSpans().Len())
	spans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	require.Equal(t, 3, spans.Len(), "a batch without an event for traces is not passed on")
	for i, want := range []struct {
		batch  eventbatch.Batch
		id     pcommon.SpanID
		events int
	}{{batches[0], eventAt, 2}, {batches[2], pcommon.SpanID{2}, 1}, {eventbatch.Batch{}, eventAt, 2}} {
		span := spans.At(i)
		require.Equal(t, lifecycle.EventBatch, span.Name())
		require.Equal(t, task, span.TraceID())
		require.Equal(t, want.id, span.SpanID())
		require.Equal(t, happened, span.StartTimestamp())
		require.Equal(t, happened, span.EndTimestamp())
		count, _ := span.Attributes().Get(lifecycle.AttrEventCount)
		require.EqualValues(t, want.events, count.Int())
		if batch, _ := eventbatch.OfSpan(span); want.batch.Events != "" {
			require.Same(t, unsafe.StringData(want.batch.Events), unsafe.StringData(batch.Events))
		}
	}
}

// A batch that cannot be read is rejected permanently, with whatever setting, and nothing is passed on or counted.
func TestMalformedCarriers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 5))
	logs := carried(routedAsBuiltIn(routedStream(t, streamtest.OrderProcessing)), random)
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if batch, found := eventbatch.Of(record); found {
			record.Attributes().PutStr(lifecycle.AttrEventBatch, batch.Events[:len(batch.Events)-1])
		}
	}
	rejected := func(err error) {
		t.Helper()
		require.ErrorContains(t, err, "malformed")
		require.True(t, consumererror.IsPermanent(err))
	}
	for _, announcements := range []string{announcementsOnce, announcementsAll} {
		r := startRecording(t, nil, func(cfg *Config) { cfg.Announcements, cfg.TrustReceived = announcements, true })
		rejected(r.events.ConsumeLogs(t.Context(), logs))
		require.Empty(t, r.records)
		require.Empty(t, countsOf(t, r.tel))
	}
	for _, spans := range []string{spansEach, spansBatched} {
		set, tel := settings(t)
		sink := &consumertest.TracesSink{}
		cfg := createDefaultConfig()
		cfg.EventSpans = spans
		c, err := NewFactory().CreateLogsToTraces(t.Context(), set, cfg, sink)
		require.NoError(t, err)
		rejected(c.ConsumeLogs(t.Context(), logs))
		require.Empty(t, sink.AllTraces())
		require.Empty(t, countsOf(t, tel))
	}
	r := startRecording(t, nil, nil)
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	ss.Scope().SetName(lifecycle.ScopeEvents)
	span := ss.Spans().AppendEmpty()
	span.SetName(lifecycle.EventBatch)
	span.Attributes().PutStr(lifecycle.AttrEventBatch, strings.Repeat("\x04", 100))
	rejected(r.spans.ConsumeTraces(origin.Mark(context.Background(), origin.EventSpans), td))
}

// FuzzCarriers checks that no batch makes the connector panic, that a rejected one is rejected permanently, and that an accepted one
// means the same to each setting.
func FuzzCarriers(f *testing.F) {
	logs := packed(f, logsOf(f,
		routed{"workflow.task_started", "traces,metrics", task, eventAt, map[string]any{"tasker.task_id": int64(7), "tasker.traceparent": "x"}},
		routed{"task.start_requested", "traces", task, pcommon.SpanID{1}, map[string]any{"tasker.task_id": int64(7), "tasker.step_count": int64(2)}},
		routed{"order.placed", "logs", task, pcommon.SpanID{2}, map[string]any{"tasker.amounts": []any{1.5, int64(2)}}},
	))
	whole, _ := eventbatch.Of(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
	f.Add(whole.Events, whole.Decisions)
	f.Add(whole.Events, "\x00"+whole.Decisions[1:])
	f.Add(whole.Events[:len(whole.Events)-1], "")
	f.Add("", "")
	r := startRecording(f, nil, nil)
	batcher := newBatcher()
	f.Fuzz(func(t *testing.T, events, decisions string) {
		logs := plog.NewLogs()
		batch := eventbatch.Batch{Events: events, Decisions: decisions}
		eventbatch.Put(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), batch, 1, received)
		if err := r.events.ConsumeLogs(t.Context(), logs); err != nil {
			require.True(t, consumererror.IsPermanent(err))
		}
		_, together, _ := batcher.spans(logs)
		if _, each, err := (&toTraces{}).convert(logs); err == nil {
			require.Equal(t, each, together)
		}
	})
}

// Event spans from another collector report the same facts in batches as one by one; those that are not trusted are counted by events.
func TestReceivedCarriers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 6))
	logs := routedAsBuiltIn(routedStream(t, streamtest.Mixed))
	each, _ := eventSpans(logs, true)
	together, counts, err := newBatcher().spans(carried(logs, random))
	require.NoError(t, err)
	trust := func(cfg *Config) { cfg.TrustReceived = true }
	of, in := startRecording(t, nil, trust), startRecording(t, nil, trust)
	require.NoError(t, of.spans.ConsumeTraces(t.Context(), each))
	require.NoError(t, in.spans.ConsumeTraces(t.Context(), together))
	require.NotEmpty(t, of.records)
	uids := func(records []streamtest.Record) []string {
		set := map[string]bool{}
		for _, record := range records {
			set[record.UID()] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	require.Equal(t, uids(of.records), uids(in.records))

	strict := startRecording(t, nil, nil)
	require.NoError(t, strict.spans.ConsumeTraces(t.Context(), together))
	require.Empty(t, strict.records)
	var received int64
	for of, n := range countsOf(t, strict.tel) {
		require.Contains(t, of, "received")
		received += n
	}
	require.Equal(t, counts.converted, received)
	require.NoError(t, errors.Join(of.spans.Shutdown(t.Context()), in.spans.Shutdown(t.Context())))
}
