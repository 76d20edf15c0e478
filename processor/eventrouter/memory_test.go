// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/health/healthtest"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

// startKept starts a router that stores the events seen. Nothing stops it, as in a crash.
func startKept(t require.TestingT, storage *journaltest.Storage, entries int, next consumer.Logs) (*router, *componenttest.Telemetry) {
	cfg := createDefaultConfig()
	cfg.Storage = &journaltest.ID
	cfg.Deduplicate.MaxEntries = entries
	tel := componenttest.NewTelemetry()
	r, err := newRouter(metadatatest.NewSettings(tel), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), storage.Host()))
	return r, tel
}

// numbered returns events of one task, which differ by their number only.
func numbered(t tester, numbers ...int) plog.Logs {
	t.Helper()
	items := make([]item, len(numbers))
	for i, n := range numbers {
		items[i] = item{"task.completed", pcommon.Timestamp(n + 1), map[string]any{"tasker.task_id": int64(1)}}
	}
	return logsOf(t, "shop", items...)
}

func TestWhatWasSeenSurvivesACrash(t *testing.T) {
	storage := journaltest.New()
	sink := &consumertest.LogsSink{}
	r, _ := startKept(t, storage, 1000, sink)
	require.NoError(t, r.ConsumeLogs(context.Background(), numbered(t, 1, 2, 3)))
	require.Equal(t, 3, sink.LogRecordCount())

	after, _ := startKept(t, storage.Crashed(), 1000, sink)
	require.NoError(t, after.ConsumeLogs(context.Background(), numbered(t, 2, 3, 4)))
	assert.Equal(t, 4, sink.LogRecordCount(), "only 4 is new")
	require.NoError(t, after.Shutdown(context.Background()))
	require.NoError(t, after.Shutdown(context.Background()), "twice")
}

func TestWhatFailedIsNotKept(t *testing.T) {
	storage := journaltest.New()
	r, _ := startKept(t, storage, 1000, consumertest.NewErr(errors.New("full")))
	require.Error(t, r.ConsumeLogs(context.Background(), numbered(t, 1)))

	sink := &consumertest.LogsSink{}
	after, _ := startKept(t, storage.Crashed(), 1000, sink)
	require.NoError(t, after.ConsumeLogs(context.Background(), numbered(t, 1)))
	assert.Equal(t, 1, sink.LogRecordCount())
}

func TestAFailingStorageCostsNoEvent(t *testing.T) {
	storage := journaltest.New()
	sink := &consumertest.LogsSink{}
	r, tel := startKept(t, storage, 1000, sink)
	storage.Fail(errors.New("no space left on device"))
	require.NoError(t, r.ConsumeLogs(context.Background(), numbered(t, 1, 2)))
	require.NoError(t, r.ConsumeLogs(context.Background(), numbered(t, 2, 3)), "a duplicate all the same")
	assert.Equal(t, 3, sink.LogRecordCount())
	metadatatest.AssertEqualProcessorEventRouterUnrememberedEvents(t, tel,
		[]metricdata.DataPoint[int64]{{Value: 4}}, metricdatatest.IgnoreTimestamp())

	storage.Fail(nil)
	require.NoError(t, r.ConsumeLogs(context.Background(), numbered(t, 4)))
	after, _ := startKept(t, storage.Crashed(), 1000, sink)
	require.NoError(t, after.ConsumeLogs(context.Background(), numbered(t, 1, 2, 3, 4)))
	assert.Equal(t, 4, sink.LogRecordCount(), "what waited was written with the next")
}

func TestAFailingStorageShowsInTheHealth(t *testing.T) {
	storage := journaltest.New()
	cfg := createDefaultConfig()
	cfg.Storage = &journaltest.ID
	r, err := newRouter(metadatatest.NewSettings(componenttest.NewTelemetry()), cfg, consumertest.NewNop())
	require.NoError(t, err)
	host := &healthtest.Host{Host: storage.Host()}
	require.NoError(t, r.Start(t.Context(), host))
	storage.Fail(errors.New("no space left on device"))
	require.NoError(t, r.ConsumeLogs(t.Context(), numbered(t, 1)))
	storage.Fail(nil)
	require.NoError(t, r.ConsumeLogs(t.Context(), numbered(t, 2)))
	assert.Equal(t, []string{"the state can't be written to the storage: no space left on device", "ok"}, host.Reported())
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestNoSuchStorage(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.Storage = &journaltest.ID
	r, err := newRouter(metadatatest.NewSettings(componenttest.NewTelemetry()), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(context.Background(), componenttest.NewNopHost()), `storage: "memory_storage" is`)
	require.NoError(t, r.Shutdown(context.Background()))
}

// However often the process crashes, whatever is resent and whatever fails: an acknowledged event is not passed on again, and any
// other is.
func TestCrashesAndResends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		storage := journaltest.New()
		var failing error
		delivered := map[int]int{}
		next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
			if failing != nil {
				return failing
			}
			for _, record := range records(logs) {
				delivered[int(record.Timestamp()-base)-1]++
			}
			return nil
		})
		require.NoError(t, err)
		r, _ := startKept(t, storage, 1000, next)
		acknowledged := map[int]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"send", "send", "fail", "crash", "stop"}).Draw(t, "step") {
			case "crash":
				storage = storage.Crashed()
				r, _ = startKept(t, storage, 1000, next)
			case "stop":
				require.NoError(t, r.Shutdown(context.Background()))
				r, _ = startKept(t, storage, 1000, next)
			case "fail":
				failing = errors.New("full")
				fallthrough
			case "send":
				numbers := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(t, "numbers")
				if err := r.ConsumeLogs(context.Background(), numbered(t, numbers...)); err == nil {
					for _, n := range numbers {
						acknowledged[n] = true
					}
				}
				failing = nil
			}
		}
		for n, times := range delivered {
			if times != 1 || !acknowledged[n] {
				t.Fatalf("event %d was handed on %d times", n, times)
			}
		}
		if len(delivered) != len(acknowledged) {
			t.Fatalf("%d events were acknowledged, %d were handed on", len(acknowledged), len(delivered))
		}
	})
}

// The engine announces a change two or three times within a second, the resolution of its clock. That is not a resend; the same
// request again is.
func TestAnnouncementsOfOneSecondAreNotDuplicates(t *testing.T) {
	request := func(more map[string]any) plog.Logs {
		attrs := map[string]any{"tasker.task_id": int64(1), "tasker.timestamp": "2026-06-01T12:00:00Z"}
		for key, value := range more {
			attrs[key] = value
		}
		one := item{"workflow.viable_steps_discovered", pcommon.Timestamp(1780315200e9), attrs}
		return logsOf(t, "shop", one, one, one)
	}
	f := newFixture(t, nil)
	f.consume(t, request(nil))
	require.Len(t, f.kept(), 3)
	ids := map[uint64]bool{}
	for _, record := range f.kept() {
		ids[identityOf(record)] = true
	}
	assert.Len(t, ids, 3, "each has an identity of its own")
	f.consume(t, request(nil))
	assert.Len(t, f.kept(), 3, "the request again")

	f.consume(t, request(map[string]any{"tasker.event_id": "e1"}))
	assert.Len(t, f.kept(), 4, "one id is one event")
}

// A record keeps its identity at a second router, which sees a reduced payload.
func TestIdentityStaysBehindAnotherRouter(t *testing.T) {
	first := newFixture(t, nil)
	first.consume(t, logsOf(t, "shop", item{"task.completed", 1e9, map[string]any{"tasker.task_id": int64(1), "tasker.task_context": "bulky"}}))
	id := identityOf(first.kept()[0])
	second := newFixture(t, func(cfg *Config) { cfg.TrustReceived = true })
	again := plog.NewLogs()
	first.sink.AllLogs()[0].CopyTo(again)
	second.consume(t, first.sink.AllLogs()[0])
	second.consume(t, again)
	require.Len(t, second.kept(), 1)
	assert.Equal(t, id, identityOf(second.kept()[0]))
}

// A sender that knows how identities are computed sends a record under the identity of a future event, as if a router had stamped
// it. It is a different event, and the genuine one is not its duplicate.
func TestAttackForgedIdentity(t *testing.T) {
	genuine := func() plog.Logs {
		return logsOf(t, "shop", item{"task.completed", 1e9 + 1, map[string]any{"tasker.task_id": int64(1)}})
	}
	probe := newFixture(t, nil)
	probe.consume(t, genuine())
	id := identityOf(probe.kept()[0])

	f := newFixture(t, nil)
	forged := logsOf(t, "shop", item{"task.completed", 1e9 + 1, map[string]any{"tasker.task_id": int64(1), "tasker.route.signals": "traces", "tasker.step_name": "forged"}})
	forged.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName(lifecycle.ScopeEvents)
	eventrecord.SetIdentity(forged.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes(), id)
	require.NoError(t, f.ConsumeLogs(t.Context(), forged))
	require.NotEqual(t, id, identityOf(f.kept()[0]))
	assert.Equal(t, "traces,metrics", f.kept()[0].Attributes().AsRaw()[lifecycle.AttrSignals], "the sender's decision is none")
	f.consume(t, genuine())
	require.Len(t, f.kept(), 2)
	assert.Equal(t, id, identityOf(f.kept()[1]))

	// Nor does a task's computed trace id make an event one of that task.
	strange := logsOf(t, "other", item{"task.failed", 1e9 + 1, map[string]any{"tasker.route.signals": "traces"}})
	strange.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTraceID(lifecycle.TraceID("", "shop", "1"))
	require.NoError(t, f.ConsumeLogs(t.Context(), strange))
	require.Len(t, f.kept(), 3)
	assert.True(t, f.kept()[2].TraceID().IsEmpty())
}
