// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

// FuzzRoute sends arbitrary OTLP through a router: no panic, each record kept has a name, a stamp and an identity, and the same
// request again has duplicates only, unless its records have only the time of receipt.
func FuzzRoute(f *testing.F) {
	marshaler, unmarshaler := &plog.ProtoMarshaler{}, &plog.ProtoUnmarshaler{}
	for _, name := range []string{"order_processing", "real/retry"} {
		logs := stream(f, name)
		left := 3
		logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(plog.LogRecord) bool { left--; return left < 0 })
		data, err := marshaler.MarshalLogs(logs)
		require.NoError(f, err)
		f.Add(data)
	}
	cfg := createDefaultConfig()
	cfg.DefaultSignals = []string{"traces", "logs"}
	sink := &consumertest.LogsSink{}
	r, err := newRouter(metadatatest.NewSettings(componenttest.NewTelemetry()), cfg, sink)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		logs, err := unmarshaler.UnmarshalLogs(data)
		if err != nil {
			return
		}
		again := plog.NewLogs()
		logs.CopyTo(again)
		sink.Reset()
		r.seen = dedup.New(1000)
		require.NoError(t, r.ConsumeLogs(context.Background(), logs))
		kept := sink.LogRecordCount()
		timeless := false
		for _, record := range records(sink.AllLogs()...) {
			require.NotEmpty(t, record.EventName())
			require.NotZero(t, identityOf(record))
			_, stamped := record.Attributes().Get(lifecycle.AttrSignals)
			require.True(t, stamped)
			timeless = timeless || record.Timestamp() == record.ObservedTimestamp()
		}
		if len(sink.AllLogs()) > 0 {
			_, err := marshaler.MarshalLogs(sink.AllLogs()[0])
			require.NoError(t, err)
		}
		require.NoError(t, r.ConsumeLogs(context.Background(), again))
		if !timeless {
			require.Equal(t, kept, sink.LogRecordCount(), "the same again")
		}
	})
}
