// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// eventsOf returns the events of logs in an order of their own, with their resources.
func eventsOf(t require.TestingT, all ...plog.Logs) (events []string) {
	for _, logs := range all {
		logs, err := eventbatch.Records(logs)
		require.NoError(t, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, r := range sl.LogRecords().All() {
					events = append(events, fmt.Sprint(rl.Resource().Attributes().AsRaw(), sl.Scope().Name(), r.EventName(), r.Timestamp(),
						r.SeverityNumber(), r.TraceID(), r.SpanID(), r.Attributes().AsRaw()))
				}
			}
		}
	}
	slices.Sort(events)
	return events
}

// own returns the processor's own metrics as texts.
func (f *fixture) own(t require.TestingT) (texts []string) {
	var all metricdata.ResourceMetrics
	require.NoError(t, f.tel.Reader.Collect(context.Background(), &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					texts = append(texts, fmt.Sprint(m.Name, point.Attributes.ToSlice(), point.Value))
				}
			case metricdata.Gauge[int64]:
				for _, point := range data.DataPoints {
					texts = append(texts, fmt.Sprint(m.Name, point.Attributes.ToSlice(), point.Value))
				}
			}
		}
	}
	slices.Sort(texts)
	return texts
}

// Events in batches are routed as the same events in records: with every kind of setting, from every origin, with repetitions, in any
// order; and so are the router's own metrics.
func TestBatchedEventsAreRoutedAsRecords(t *testing.T) {
	var lines [][]byte
	for _, name := range []string{"mixed", "real/retry"} {
		body, err := os.ReadFile(filepath.Join(streams, filepath.FromSlash(name)+".ndjson"))
		require.NoError(t, err)
		lines = append(lines, bytes.Split(bytes.TrimSpace(body), []byte("\n"))...)
	}
	lines = append(lines, []byte(`{"event":"own.event","service":"a","occurred_at":"2026-06-01T11:00:00Z","payload":{"task_id":7,"password":"x","n":[1,2]}}`),
		[]byte(`{"event":"log.line","service":"a","occurred_at":"2026-06-01T11:00:00Z","payload":{"n":1}}`),
		[]byte(`{"event":"log.line","service":"a","id":"1","occurred_at":"2026-06-01T11:00:00Z","payload":{"n":1}}`))
	for name, change := range map[string]func(*Config){
		"default":  nil,
		"patterns": func(c *Config) { c.Redaction.Patterns = []string{"card_numbers", "email_addresses"} },
		"cut":      func(c *Config) { c.MaxValueBytes = 64 },
		"routes": func(c *Config) {
			c.Routes = []routing.Route{
				{Event: "step.*", Signals: []string{"logs"}, Priority: "high"}, {Event: "task.completed", SamplingRate: ptr(0.5)}, {Event: "workflow.*", Signals: []string{"traces"}, Priority: "low"},
			}
			c.FilteredEvents = []string{"observability.*"}
		},
		"no duplicates": func(c *Config) { c.Deduplicate.Enabled = false },
		"trusting":      func(c *Config) { c.TrustReceived = true },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(check *rapid.T) {
				single, batched := newFixture(t, change), newFixture(t, change)
				leaveOut, unused := lifecycle.BulkyPayloadKeys(), lifecycle.UnusedPayloadKeys()
				one := wire.NewDecoder(wire.Settings{LeaveOut: leaveOut, Unused: unused})
				many := wire.NewDecoder(wire.Settings{LeaveOut: leaveOut, Unused: unused, Batch: true})
				for range rapid.IntRange(2, 4).Draw(check, "requests") {
					var body []byte
					for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(lines)-1), 1, 60).Draw(check, "lines") {
						body = append(append(body, lines[i]...), '\n')
					}
					by := rapid.SampledFrom([]origin.Maker{origin.Received, origin.Decoder, origin.LogDecoder, origin.Router}).Draw(check, "origin")
					ctx := origin.Mark(context.Background(), by)
					_, _ = many.Decode(body, wire.FormatNDJSON) // so that it knows the shapes
					records, _ := one.Decode(body, wire.FormatNDJSON)
					batches, _ := many.Decode(body, wire.FormatNDJSON)
					if rapid.IntRange(0, 3).Draw(check, "renamed") == 0 {
						records.ResourceLogs().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, "renamed")
						batches.ResourceLogs().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, "renamed")
					}
					require.NoError(check, single.ConsumeLogs(ctx, records))
					require.NoError(check, batched.ConsumeLogs(ctx, batches))
				}
				require.Equal(check, eventsOf(check, single.sink.AllLogs()...), eventsOf(check, batched.sink.AllLogs()...))
				require.Equal(check, single.own(check), batched.own(check))
			})
		})
	}
}

// A batch that cannot be read is refused as a whole, and for good.
func TestBrokenBatch(t *testing.T) {
	f := newFixture(t, nil)
	body, err := os.ReadFile(filepath.Join(streams, "mixed.ndjson"))
	require.NoError(t, err)
	decoder := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Batch: true})
	decoder.Decode(body, wire.FormatNDJSON)
	logs, _ := decoder.Decode(body, wire.FormatNDJSON)
	for _, record := range records(logs) {
		if batch, found := eventbatch.Of(record); found {
			record.Attributes().PutStr(lifecycle.AttrEventBatch, batch.Events[:len(batch.Events)-1])
		}
	}
	err = f.ConsumeLogs(decoded(), logs)
	require.ErrorContains(t, err, "a batch of events is malformed")
	require.True(t, consumererror.IsPermanent(err))
	require.Empty(t, f.kept())
	f.consume(t, stream(t, "mixed")) // nothing of it counts as seen
	require.NotEmpty(t, f.kept())

	f = newFixture(t, nil)
	forged := plog.NewLogs()
	logs.CopyTo(forged)
	other := forged.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	other.SetEventName(lifecycle.TaskCompleted)
	other.Attributes().PutInt(lifecycle.AttrTaskID, 1)
	require.NoError(t, f.ConsumeLogs(context.Background(), forged), "other records of a received request may be of other senders")
	require.Contains(t, f.own(t), "otelcol_processor_event_router_dropped[{reason malformed}] 1")
	for _, record := range f.kept() {
		_, found := eventbatch.Of(record)
		require.False(t, found)
	}
}

// Wherever a received batch is broken, the other records of its request are routed, and it is not passed on.
func TestBrokenReceivedBatch(t *testing.T) {
	decoder := wire.NewDecoder(wire.Settings{Batch: true})
	item := `{"event":"step.completed","occurred_at":"2026-06-01T11:00:00Z","payload":{"task_id":7,"n":[1,"x"]}}`
	logs, _ := decoder.Decode([]byte(strings.Repeat(item, 5)), wire.FormatNDJSON)
	all := records(logs)
	batch, found := eventbatch.Of(all[len(all)-1])
	require.True(t, found)
	for at := range len(batch.Events) {
		for _, wrong := range []string{"\xff", "\x00", "\x7f"} {
			logs := logsOf(t, "shop", ofTask("task.completed", at))
			record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
			eventbatch.Put(record, eventbatch.Batch{Events: batch.Events[:at] + wrong + batch.Events[at+1:]}, 4, base)
			f := newFixture(t, nil)
			require.NoError(t, f.ConsumeLogs(context.Background(), logs))
			names := map[string]int{}
			for _, record := range f.kept() {
				names[record.EventName()]++
			}
			require.Equal(t, 1, names[lifecycle.TaskCompleted], "the other record of the request")
			require.Zero(t, names[lifecycle.EventBatch])
			if at == 0 { // the version
				require.Contains(t, f.own(t), "otelcol_processor_event_router_dropped[{reason malformed}] 1")
			}
		}
	}
}

// ofTask is an event of a task of its own.
func ofTask(name string, task int) item {
	return item{name, 1, map[string]any{lifecycle.AttrTaskID: int64(task)}}
}

// What a sender writes is no batch of this process: its attributes are not decoded, or removed.
func TestForgedBatches(t *testing.T) {
	decoder := wire.NewDecoder(wire.Settings{Batch: true})
	item := `{"event":"step.completed","occurred_at":"2026-06-01T11:00:00Z","payload":{"task_id":7}}`
	logs, _ := decoder.Decode([]byte(item+item), wire.FormatNDJSON) // the shape of the first one is not known yet
	all := records(logs)
	batch, found := eventbatch.Of(all[len(all)-1])
	require.True(t, found)
	text, err := json.Marshal(batch.Events)
	require.NoError(t, err)
	for _, name := range []string{"tasker.tasker.event_batch", "order.placed"} {
		forged := fmt.Sprintf(`{"event":%q,"occurred_at":"2026-06-01T11:00:00Z","payload":{"task_id":8,"event_batch":%s,"event_decisions":"\t"}}`, name, text)
		f := newFixture(t, func(c *Config) { c.DefaultSignals = []string{"traces"} })
		for range 2 {
			logs, report := decoder.Decode([]byte(forged), wire.FormatNDJSON)
			require.Equal(t, 2, report.Stamps)
			f.consume(t, logs)
		}
		received := logsOf(t, "shop", carrying(name, batch.Events))
		require.NoError(t, f.ConsumeLogs(context.Background(), received))
		for _, logs := range f.sink.AllLogs() {
			expanded, err := eventbatch.Records(logs)
			require.NoError(t, err)
			for _, record := range records(expanded) {
				_, found := record.Attributes().Get(lifecycle.AttrEventBatch)
				require.False(t, found)
			}
		}
	}
}

// carrying is an event with a batch among its attributes.
func carrying(name, batch string) item {
	return item{lifecycle.Canonical(name), 1, map[string]any{lifecycle.AttrTaskID: int64(9), lifecycle.AttrEventBatch: batch}}
}

// FuzzBatch sends arbitrary batches through a router, as if of this process and as received: no panic, a rejected one is rejected for
// good, and what is kept of a received one is records.
func FuzzBatch(f *testing.F) {
	decoder := wire.NewDecoder(wire.Settings{Batch: true})
	item := `{"event":"task.completed","occurred_at":"2026-06-01T11:00:00Z","payload":{"task_id":7,"n":[1,"x"]}}`
	logs, _ := decoder.Decode([]byte(item+item), wire.FormatNDJSON)
	all := records(logs)
	batch, found := eventbatch.Of(all[len(all)-1])
	require.True(f, found)
	f.Add(batch.Events, "")
	f.Add(batch.Events, "\x09")
	f.Add(batch.Events[:len(batch.Events)-1], "\x00\x00")
	r := newFixture(f, nil)
	f.Fuzz(func(t *testing.T, events, decisions string) {
		for _, ctx := range []context.Context{decoded(), context.Background()} {
			logs := plog.NewLogs()
			record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			eventbatch.Put(record, eventbatch.Batch{Events: events, Decisions: decisions}, 1, base)
			r.sink.Reset()
			err := r.ConsumeLogs(ctx, logs)
			if ctx == context.Background() {
				require.NoError(t, err)
				for _, record := range r.kept() {
					_, found := eventbatch.Of(record)
					require.False(t, found)
				}
			} else if err != nil {
				require.True(t, consumererror.IsPermanent(err))
			}
		}
	})
}

// BenchmarkRouteBatched is BenchmarkRoute with the events in batches.
func BenchmarkRouteBatched(b *testing.B) {
	body, err := os.ReadFile(filepath.Join(streams, "mixed.ndjson"))
	require.NoError(b, err)
	decoder := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Unused: lifecycle.UnusedPayloadKeys(), Batch: true})
	_, report := decoder.Decode(body, wire.FormatNDJSON)
	sent, _ := decoder.Decode(body, wire.FormatNDJSON)
	benchmarkRoute(b, sent, report.Accepted)
}

func ptr[T any](v T) *T { return &v }
