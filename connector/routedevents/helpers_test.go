// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

var (
	task    = lifecycle.TraceID("", "shop", "7")
	eventAt = pcommon.SpanID{0xe, 1}
)

const (
	happened = pcommon.Timestamp(1000)
	received = pcommon.Timestamp(2000)
)

// routed is a record as the router passes it on.
type routed struct {
	name, signals string
	trace         pcommon.TraceID
	span          pcommon.SpanID
	attrs         map[string]any
}

func logsOf(t testing.TB, events ...routed) plog.Logs {
	t.Helper()
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.SetSchemaUrl("schema")
	resourceLogs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	scopeLogs.Scope().SetName(lifecycle.ScopeEvents)
	for _, event := range events {
		record := scopeLogs.LogRecords().AppendEmpty()
		record.SetEventName(event.name)
		record.SetTimestamp(happened)
		record.SetObservedTimestamp(received)
		record.SetTraceID(event.trace)
		require.NoError(t, record.Attributes().FromRaw(event.attrs))
		if !event.span.IsEmpty() {
			eventrecord.SetIdentity(record.Attributes(), binary.BigEndian.Uint64(event.span[:]))
		}
		if event.signals != "" {
			record.Attributes().PutStr(lifecycle.AttrSignals, event.signals)
		}
	}
	return logs
}

func settings(t testing.TB) (connector.Settings, *componenttest.Telemetry) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	return metadatatest.NewSettings(tel), tel
}

// routedStream returns a stream as routed to all signals.
func routedStream(t testing.TB, name string) plog.Logs {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../tests/streamtest/testdata", filepath.FromSlash(name)+".ndjson"))
	require.NoError(t, err)
	logs, report := wire.NewDecoder(wire.Settings{}).Decode(body, wire.FormatNDJSON)
	require.Zero(t, report.Refused)
	normalizer := &eventrecord.Normalizer{}
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				normalizer.Normalize(eventrecord.ApplicationOf(resourceLogs.Resource().Attributes()), record)
				eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
				record.Attributes().PutStr(lifecycle.AttrSignals, lifecycle.SignalsAll.String())
			}
		}
	}
	return logs
}

func copyOf(logs plog.Logs) plog.Logs {
	same := plog.NewLogs()
	logs.CopyTo(same)
	return same
}

func dropped(signal string, values map[string]int64) []metricdata.DataPoint[int64] {
	var list []metricdata.DataPoint[int64]
	for reason, value := range values {
		set := attribute.NewSet(attribute.String("signal", signal), attribute.String("reason", reason))
		list = append(list, metricdata.DataPoint[int64]{Attributes: set, Value: value})
	}
	return list
}

func converted(signal string, value int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Attributes: attribute.NewSet(attribute.String("signal", signal)), Value: value}}
}
