// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// FuzzNormalize checks that any OTLP record is normalized without a panic, that normalizing is idempotent, and that
// Fingerprint of the normalized record is never zero.
func FuzzNormalize(f *testing.F) {
	marshaler, unmarshaler := &plog.ProtoMarshaler{}, &plog.ProtoUnmarshaler{}
	for _, attrs := range []map[string]any{
		{"event.name": "tasker.step.completed", "tasker.task_id": int64(1<<53 + 1), "tasker.timestamp": "2026-06-01T12:00:00.5Z"},
		{"tasker.task_id": 7.0, "tasker.nested": map[string]any{"a": []any{true, []byte{1}, nil}}},
		{"tasker.task_id": "", "tasker.route.signals": "traces", "tasker.traceparent": "00-"},
	} {
		logs := plog.NewLogs()
		resourceLogs := logs.ResourceLogs().AppendEmpty()
		resourceLogs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
		record := resourceLogs.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTraceID(pcommon.TraceID{1})
		record.SetSpanID(pcommon.SpanID{2})
		record.SetObservedTimestamp(5)
		require.NoError(f, record.Attributes().FromRaw(attrs))
		data, err := marshaler.MarshalLogs(logs)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		logs, err := unmarshaler.UnmarshalLogs(data)
		if err != nil {
			return
		}
		normalizer := &eventrecord.Normalizer{}
		normalize := func() (prints []uint64) {
			for _, resourceLogs := range logs.ResourceLogs().All() {
				for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
					for _, record := range scopeLogs.LogRecords().All() {
						normalizer.Normalize(eventrecord.ApplicationOf(resourceLogs.Resource().Attributes()), record)
						sum := eventrecord.Fingerprint(record.EventName(), record.Timestamp(), record.Attributes())
						require.NotZero(t, sum)
						prints = append(prints, sum)
					}
				}
			}
			return prints
		}
		prints := normalize()
		once, err := marshaler.MarshalLogs(logs)
		require.NoError(t, err)
		require.Equal(t, prints, normalize())
		twice, err := marshaler.MarshalLogs(logs)
		require.NoError(t, err)
		require.Equal(t, once, twice, "idempotent")
	})
}

// FuzzPayloadTime checks that a time that int64 nanoseconds cannot represent is rejected.
func FuzzPayloadTime(f *testing.F) {
	for _, seed := range []string{
		"2026-06-01T12:00:00.036885123Z", "2026-06-01 12:00:00 UTC", "2026-06-01 12:00:00.5 +0200", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
		"1969-12-31T23:59:59.9Z", "2262-04-11T23:47:16.9Z", "2026-06-01 12:00:00 CEST", ".",
	} {
		f.Add("task.completed", seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, transitioned, timestamp, completed string) {
		attrs := pcommon.NewMap()
		attrs.PutStr(lifecycle.AttrTransitionedAt, transitioned)
		attrs.PutStr(lifecycle.AttrTimestamp, timestamp)
		attrs.PutStr(lifecycle.AttrCompletedAt, completed)
		at, ok := eventrecord.PayloadTime(name, attrs)
		if !ok {
			return
		}
		require.Positive(t, int64(at))
		year := at.AsTime().Year()
		require.True(t, year >= 1970 && year < 2243, "%d", year)
	})
}
