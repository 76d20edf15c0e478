// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata/livedatatest"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadata"
)

func TestThePagesSeeTheMapAndWhatBecameOfTheEvents(t *testing.T) {
	host := &livedatatest.Host{Host: componenttest.NewNopHost(), Registry: &livedatatest.Registry{}}
	set := processortest.NewNopSettings(metadata.Type)
	r, err := newRouter(set, createDefaultConfig(), new(consumertest.LogsSink))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), host))
	offered := host.Registry.Routes(set.ID)
	require.NotNil(t, offered)
	require.Empty(t, offered.Counts())

	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i, name := range []string{lifecycle.TaskCompleted, lifecycle.TaskCompleted, "order.placed"} {
		record := records.AppendEmpty()
		record.SetEventName(name)
		record.Attributes().PutInt(lifecycle.AttrTaskID, int64(i))
	}
	require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	require.ElementsMatch(t, []livedata.EventCount{
		{Event: lifecycle.TaskCompleted, Outcome: "traces,metrics", Count: 2},
		{Event: "order.placed", Outcome: "no_route", Dropped: true, Count: 1},
	}, offered.Counts())
	require.Equal(t, "no_route", string(offered.Table().Explain("order.placed").Reason))

	require.NoError(t, r.Shutdown(t.Context()))
	require.Nil(t, host.Registry.Routes(set.ID), "withdrawn")
	require.NoError(t, r.Shutdown(t.Context()))
}
