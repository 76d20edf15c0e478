// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

// mixedRecords are events, and records of a Rust program whose logger names each record by its call site.
func mixedRecords(t *testing.T) (logs plog.Logs, others []string) {
	logs = logsOf(t, "shop",
		item{"event src/main.rs:42", 1e9 + 1, map[string]any{"message": "listening", "tasker.route.signals": "traces"}},
		item{"step.completed", 1e9 + 1, map[string]any{"tasker.task_id": int64(1)}},
		item{"order.placed", 1e9 + 1, map[string]any{"tasker.task_id": int64(1)}},
		item{"order.placed", 1e9 + 2, nil},
		item{"handler.registered", 1e9 + 1, nil},
		item{"inventory.synced", 1e9 + 1, nil},
		item{"", 1e9 + 1, map[string]any{"message": "an ordinary line"}},
		item{"", 1e9 + 1, map[string]any{"event.name": "tasker.step.failed", "tasker.task_id": int64(1)}},
	)
	logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("hyper")
	return logs, []string{"event src/main.rs:42", "order.placed", ""}
}

func names(logs []plog.Logs) (names []string) {
	for _, l := range logs {
		for _, record := range records(l) {
			names = append(names, record.EventName())
		}
	}
	return names
}

// An event name alone does not make a Tasker event: it also needs a route, a name that Tasker defines, or a task. Other records are
// counted without their names, and passed on unchanged by a router that selects others.
func TestRecordsOfOtherPrograms(t *testing.T) {
	settings := func(cfg *Config) {
		cfg.DefaultSignals = []string{"traces", "metrics"}
		cfg.Routes = []routing.Route{{Event: "inventory.*", Signals: []string{"metrics"}}}
	}
	logs, others := mixedRecords(t)
	decoded := newFixture(t, settings)
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	byReceiver, _, err := wire.NewDecoder(wire.Settings{}).DecodeOTLP(request)
	require.NoError(t, err)
	require.NoError(t, decoded.ConsumeLogs(origin.Mark(t.Context(), origin.LogDecoder), byReceiver))
	f := newFixture(t, settings)
	require.NoError(t, f.ConsumeLogs(t.Context(), logs))
	assert.Equal(t, names(f.sink.AllLogs()), names(decoded.sink.AllLogs()))
	assert.Equal(t, []string{"step.completed", "order.placed", "handler.registered", "inventory.synced", "step.failed"}, names(f.sink.AllLogs()))
	metadatatest.AssertEqualProcessorEventRouterDropped(t, f.tel, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("reason", "not_tasker")), Value: 2},
		{Attributes: attribute.NewSet(attribute.String("reason", "no_name")), Value: 1},
	}, metricdatatest.IgnoreTimestamp())

	cfg := createDefaultConfig()
	settings(cfg)
	cfg.Select = selectOthers
	require.NoError(t, cfg.Validate())
	sink := new(consumertest.LogsSink)
	o, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, o.Start(t.Context(), componenttest.NewNopHost()))
	logs, _ = mixedRecords(t)
	want := plog.NewLogs()
	logs.CopyTo(want)
	require.NoError(t, o.ConsumeLogs(t.Context(), logs))
	require.NoError(t, o.ConsumeLogs(t.Context(), logsOf(t, "shop", item{"step.completed", 1e9, map[string]any{"tasker.task_id": int64(1)}})))
	require.NoError(t, o.Shutdown(t.Context()))
	require.Len(t, sink.AllLogs(), 1, "nothing is no call")
	assert.Equal(t, others, names(sink.AllLogs()))
	first, before := records(sink.AllLogs()[0])[0], records(want)[0]
	assert.Equal(t, before, first, "unchanged")
	assert.Equal(t, "hyper", sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).Scope().Name())
}

// A batch that cannot be read does not cost the other records of its request.
func TestOthersBesideABrokenBatch(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.Select = selectOthers
	sink := new(consumertest.LogsSink)
	o, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	logs := logsOf(t, "hyper", item{"log.line", 1, nil}, item{lifecycle.EventBatch, 2, map[string]any{lifecycle.AttrEventBatch: "x"}})
	require.NoError(t, o.ConsumeLogs(t.Context(), logs))
	assert.Equal(t, []string{"log.line", lifecycle.EventBatch}, names(sink.AllLogs()), "both are of other programs")
}

// Items decoded by tasker_events are events, whatever their name.
func TestDecodedItemsAreEvents(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.DefaultSignals = []string{"metrics"} })
	require.NoError(t, f.ConsumeLogs(decoded(), logsOf(t, "shop", item{"inventory.synced", 1e9 + 1, nil})))
	assert.Equal(t, []string{"inventory.synced"}, names(f.sink.AllLogs()))
}
