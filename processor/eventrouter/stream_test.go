// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const streams = "../../tests/streamtest/testdata"

func stream(t testing.TB, name string) plog.Logs {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(streams, filepath.FromSlash(name)+".ndjson"))
	require.NoError(t, err)
	logs, report := wire.NewDecoder(wire.Settings{}).Decode(body, wire.FormatNDJSON)
	require.Zero(t, report.Refused)
	return logs
}

// Of every stream, exactly the events with a route are kept, once, however often the stream is sent, without bulky or secret
// attributes.
func TestStreams(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			sent := stream(t, name)
			want := map[string]int{}
			for _, record := range records(sent) {
				if decision := f.table.Lookup(record.EventName()); decision.Signals != lifecycle.SignalsNone {
					want[record.EventName()]++
				}
			}
			for range 2 {
				f.consume(t, stream(t, name))
			}

			got := map[string]int{}
			ids := map[uint64]bool{}
			for _, record := range f.kept() {
				got[record.EventName()]++
				assert.False(t, ids[identityOf(record)], "two events with one id")
				ids[identityOf(record)] = true
				checkClean(t, record.Attributes().AsRaw())
			}
			assert.Equal(t, want, got)
		})
	}
}

// An event is the same whether it arrives as JSON or OTLP, without what tasker_events skips, or as an OTLP log with all attributes, in
// any order.
func TestAnEventIsTheSameInEveryForm(t *testing.T) {
	for _, name := range []string{"order_processing", "planned"} {
		for _, order := range [][]origin.Maker{
			{origin.Decoder, origin.Received, origin.LogDecoder}, {origin.Received, origin.LogDecoder, origin.Decoder},
			{origin.LogDecoder, origin.Decoder, origin.Received},
		} {
			f := newFixture(t, nil)
			body, err := os.ReadFile(filepath.Join(streams, filepath.FromSlash(name)+".ndjson"))
			require.NoError(t, err)
			decoder := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Unused: lifecycle.UnusedPayloadKeys()})
			decoded, report := decoder.Decode(body, wire.FormatNDJSON)
			require.Positive(t, report.LeftOut)
			sent, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(body), []byte{'\n'}), "tasker.")
			require.NoError(t, err)
			request, err := plogotlp.NewExportRequestFromLogs(sent).MarshalProto()
			require.NoError(t, err)
			decodedOTLP, report, err := decoder.DecodeOTLP(request)
			require.NoError(t, err)
			require.Positive(t, report.LeftOut)

			kept := -1
			forms := map[origin.Maker]plog.Logs{origin.Decoder: decoded, origin.LogDecoder: decodedOTLP, origin.Received: sent}
			for _, by := range order {
				logs := forms[by]
				require.NoError(t, f.ConsumeLogs(origin.Mark(t.Context(), by), logs))
				if kept < 0 {
					kept = len(f.kept())
				}
				require.Positive(t, kept)
				require.Equal(t, int64(kept), int64(f.sink.LogRecordCount()), "the second time all are duplicates")
			}
		}
	}
}

func checkClean(t *testing.T, attrs map[string]any) {
	t.Helper()
	for _, key := range lifecycle.BulkyPayloadKeys() {
		assert.NotContains(t, attrs, lifecycle.AttributePrefix+key)
	}
	if sql, found := attrs[lifecycle.AttrSQL]; found {
		assert.NotContains(t, sql, "'")
	}
	for key := range attrs {
		assert.True(t, strings.HasPrefix(key, lifecycle.AttributePrefix), key)
	}
}

// BenchmarkRoute routes records of a stream.
func BenchmarkRoute(b *testing.B) {
	sent := stream(b, "mixed")
	benchmarkRoute(b, sent, sent.LogRecordCount())
}

// benchmarkRoute routes so many events. Deduplication is on, but every batch is released, so that there are no duplicates.
func benchmarkRoute(b *testing.B, sent plog.Logs, events int) {
	f := newFixtureTo(b, nil, consumertest.NewNop())
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		logs := plog.NewLogs()
		sent.CopyTo(logs)
		work := &batch{}
		b.StartTimer()
		if err := f.process(context.Background(), work, logs); err != nil || work.kept == 0 {
			b.Fatal(work.kept)
		}
		work.claim.Release()
	}
	b.ReportMetric(float64(b.N)*float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkFingerprint hashes the events of a stream.
func BenchmarkFingerprint(b *testing.B) {
	all := records(stream(b, "mixed"))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		record := all[i%len(all)]
		eventrecord.Fingerprint(record.EventName(), record.Timestamp(), record.Attributes())
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
