// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// Events that come in the router's batches make the true trees, whatever their order and repetition, beside events that are records,
// and across a crash.
func TestTreesOfRoutedBatches(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			lines, truth := streamtest.Generate(streamtest.Options{Tasks: 12, Seed: seed, Failures: true, Planned: seed%2 == 0, SpacingMS: 30})
			batches := streamtest.Resend(streamtest.Batches(streamtest.Shuffle(lines, 200, seed), 60), 5)
			storage := journaltest.New()
			life := incarnate(t, storage, nil)
			var spans []streamtest.Span
			for i, batch := range batches {
				if i == len(batches)/2 {
					storage = storage.Crashed()
					spans = append(spans, life.die(t)...)
					life = incarnate(t, storage, nil)
				}
				require.NoError(t, routedTo(t, life.hierarchy).ConsumeLogs(t.Context(), routedBatch(t, batch, random)))
			}
			require.Zero(t, life.noTask.Load())
			time.Sleep(time.Hour)
			spans = append(spans, life.stop(t)...)
			require.Empty(t, streamtest.Compare(truth, spans))
		})
	}
}

func routedTo(t *testing.T, next consumer.Traces) connector.Logs {
	t.Helper()
	factory := routedevents.NewFactory()
	cfg := factory.CreateDefaultConfig().(*routedevents.Config)
	cfg.EventSpans = "batched"
	c, err := factory.CreateLogsToTraces(t.Context(), connectortest.NewNopSettings(factory.Type()), cfg, next)
	require.NoError(t, err)
	return c
}

// routedBatch returns events as event_router passes them on: some as records, the others in a batch, together with events for other
// signals and without a task.
func routedBatch(t *testing.T, lines [][]byte, random *rand.Rand) plog.Logs {
	t.Helper()
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	normalizer := &eventrecord.Normalizer{}
	for _, rl := range logs.ResourceLogs().All() {
		var w eventbatch.RecordWriter
		w.Reset(0)
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				record.SetObservedTimestamp(record.Timestamp())
				normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
			}
			sl.LogRecords().RemoveIf(func(record plog.LogRecord) bool { return random.IntN(6) != 0 && packed(t, &w, record, random) })
		}
		if w.Events() > 0 {
			eventbatch.Put(rl.ScopeLogs().At(0).LogRecords().AppendEmpty(), w.Batch(), w.Events(), 1)
		}
	}
	return logs
}

func packed(t *testing.T, w *eventbatch.RecordWriter, record plog.LogRecord, random *rand.Rand) bool {
	t.Helper()
	head := eventbatch.Head{
		TraceID: record.TraceID(), Identity: eventrecord.Identity(record), Time: record.Timestamp(), Routed: true, Signals: lifecycle.SignalsAll,
	}
	add := func() bool { return w.Add(record, &head, func(key string) bool { return !eventrecord.IsStamp(key) }) }
	if !add() {
		return false
	}
	switch random.IntN(6) {
	case 0:
		head.Signals, head.Identity = lifecycle.SignalMetrics|lifecycle.SignalLogs, random.Uint64()
		require.True(t, add())
	case 1:
		head.TraceID = pcommon.TraceID{}
		require.True(t, add())
	}
	return true
}

// FuzzBatch checks that no batch makes the processor panic, and that a rejected one is rejected permanently.
func FuzzBatch(f *testing.F) {
	td := inBatches(whole("1"))
	batch, _ := eventbatch.OfSpan(td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0))
	f.Add(batch.Events, batch.Decisions)
	f.Add(batch.Events[:len(batch.Events)-1], "")
	f.Add("", "")
	h := newTest(f, consumertest.NewNop(), nil)
	f.Fuzz(func(t *testing.T, events, decisions string) {
		fresh := copied(td)
		eventbatch.PutIn(fresh.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes(), eventbatch.Batch{Events: events, Decisions: decisions}, 1)
		if err := h.ConsumeTraces(t.Context(), fresh); err != nil {
			require.True(t, consumererror.IsPermanent(err))
		}
	})
}
