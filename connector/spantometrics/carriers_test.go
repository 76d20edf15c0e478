// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// carrier writes events into batches.
type carrier struct {
	eventbatch.RecordWriter

	// keeps reports whether an event stays a record, and ends whether its batch ends with it.
	keeps, ends func() bool
}

func never() bool { return false }

// carried returns the same events in the same order, in records that carry batches, with some events as records between them.
func (w *carrier) carried(t require.TestingT, ld plog.Logs) plog.Logs {
	to := plog.NewLogs()
	for _, rl := range ld.ResourceLogs().All() {
		resource := to.ResourceLogs().AppendEmpty()
		rl.Resource().CopyTo(resource.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			w.carryScope(t, sl.LogRecords(), resource.ScopeLogs().AppendEmpty().LogRecords())
		}
	}
	return to
}

func (w *carrier) carryScope(t require.TestingT, from, to plog.LogRecordSlice) {
	received := pcommon.Timestamp(0)
	flush := func() {
		if w.Events() > 0 {
			eventbatch.Put(to.AppendEmpty(), w.Batch(), w.Events(), received)
		}
		w.Reset(0)
	}
	w.Reset(0)
	for _, record := range from.All() {
		if _, identified := eventrecord.Given(record); !identified || w.keeps() {
			flush()
			record.CopyTo(to.AppendEmpty())
			continue
		}
		head := headOf(record)
		received = record.ObservedTimestamp()
		require.True(t, w.Add(record, &head, func(key string) bool { return !slices.Contains(eventrecord.Stamps(), key) }))
		if w.ends() {
			flush()
		}
	}
	flush()
}

func headOf(record plog.LogRecord) eventbatch.Head {
	attrs := record.Attributes()
	head := eventbatch.Head{
		TraceID: record.TraceID(), Identity: eventrecord.Identity(record), Time: record.Timestamp(),
		AtReceipt: record.Timestamp() == record.ObservedTimestamp(), Routed: eventrecord.Routed(record), Signals: eventrecord.SignalsOf(attrs), Priority: lifecycle.PriorityNormal,
	}
	if priority := eventrecord.Text(attrs, lifecycle.AttrPriority); priority != "" {
		head.Priority = lifecycle.Priority(priority)
	}
	return head
}

// spansOfRecords returns the same events as spans.
func spansOfRecords(ld plog.Logs) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, rl := range ld.ResourceLogs().All() {
		resource := td.ResourceSpans().AppendEmpty()
		rl.Resource().CopyTo(resource.Resource())
		scope := resource.ScopeSpans().AppendEmpty()
		scope.Scope().SetName(lifecycle.ScopeEvents)
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			span := scope.Spans().AppendEmpty()
			span.SetName(record.EventName())
			span.SetTraceID(record.TraceID())
			span.SetStartTimestamp(record.Timestamp())
			record.Attributes().CopyTo(span.Attributes())
			if record.EventName() != lifecycle.EventBatch {
				span.SetSpanID(spanIDOf(eventrecord.Identity(record)))
			}
		}
	}
	return td
}

// measurer measures at times of its own, and keeps what it stores.
type measurer struct {
	t       require.TestingT
	change  func(*Config)
	c       *instance
	now     series.Instant
	entries [][]byte
	tallies []tally.Batch
}

// newMeasurer makes one whose first batch arrives at a time.
func newMeasurer(t require.TestingT, at time.Time, change func(*Config)) *measurer {
	m := &measurer{t: t, change: change, now: series.Instant{Wall: at.UnixNano()}}
	m.begin()
	return m
}

// begin starts a process with what is stored.
func (m *measurer) begin() {
	w := newWorld(m.t, m.change)
	m.c = w.process()
	m.c.converter.InstanceID = "one"
	replay := m.c.state.Replay()
	for _, entry := range m.entries {
		require.NoError(m.t, records.Read(entry, replay))
	}
	replay.End()
	replay.Resume(m.now)
	m.c.state.SetLog(records.New(func(entry []byte) { m.entries = append(m.entries, slices.Clone(entry)) }))
}

func (m *measurer) took(batch tally.Batch, err error) {
	require.NoError(m.t, err)
	m.tallies = append(m.tallies, batch)
	m.now.Wall += 1e9
	m.now.Running += 1e9
}

func (m *measurer) logs(ld plog.Logs) {
	ld.MarkReadOnly()
	m.took(m.c.recorder.Logs(m.now, ld))
}

func (m *measurer) spans(td ptrace.Traces) {
	td.MarkReadOnly()
	m.took(m.c.recorder.Traces(m.now, td, origin.EventSpans))
}

// metrics returns a flush.
func (m *measurer) metrics() string {
	snapshot := m.c.state.Series.Collect(m.now)
	bytes, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(m.c.converter.Metrics(&snapshot))
	require.NoError(m.t, err)
	m.c.state.Series.Accept(&snapshot)
	return string(bytes)
}

// requireSame checks that all have measured and stored the same.
func requireSame(t require.TestingT, all ...*measurer) {
	metrics := make([]string, len(all))
	for i, m := range all {
		metrics[i] = m.metrics()
		require.Equal(t, all[0].tallies, m.tallies)
		require.Equal(t, all[0].entries, m.entries)
		require.Equal(t, metrics[0], metrics[i])
	}
}

// declareAnything declares metrics of attributes of all types, and of those that a batch has in an event's head.
func declareAnything(cfg *Config) {
	cfg.EventSpans = true
	cfg.ActiveMaxAge = 100 * 365 * 24 * time.Hour // the streams' date must not matter
	labels := []Dimension{
		{Name: "list", Key: []string{"step_names", "tasker.value"}}, {Name: "truth", Key: []string{"tasker.retryable", "tasker.value"}, Default: pointerTo("none")},
		{Name: "signals", Key: []string{lifecycle.AttrSignals}}, {Name: "priority", Key: []string{lifecycle.AttrPriority}, Default: pointerTo("none")},
		{Name: "absent"}, {Name: "app", Key: []string{lifecycle.AttrServiceName}},
	}
	numbers := SourceConfig{Event: []string{"*"}, Conditions: []ConditionConfig{{Key: "attempt_number", Min: pointerTo(1.0)}}}
	cfg.Metrics = map[string]MetricConfig{
		"own.lists":    {Type: declaration.TypeCounter, SourceConfig: SourceConfig{Event: []string{"*"}}, Dimensions: labels},
		"own.duration": {Type: declaration.TypeHistogram, Value: []string{"execution_duration", "tasker.duration", "value"}, SourceConfig: SourceConfig{Event: []string{"*"}}},
		"own.latest":   {Type: declaration.TypeGauge, Value: []string{"step_count", "value"}, SourceConfig: SourceConfig{Event: []string{"*"}}, Dimensions: labels[2:4]},
		"own.attempts": {Type: declaration.TypeCounter, Value: []string{"attempt_number"}, SourceConfig: numbers, Dimensions: labels[1:2]},
		"own.low": {Type: declaration.TypeCounter, SourceConfig: SourceConfig{Event: []string{"*"}, Conditions: []ConditionConfig{
			{Key: lifecycle.AttrPriority, In: []string{"low"}}, {Key: lifecycle.AttrIdentity, Exists: pointerTo(true)},
		}}},
	}
}

// streamBatches returns the records of a stream as event_router passes them on, shuffled and partly duplicated. Some have not been
// routed, or not received by tasker_events.
func streamBatches(t *testing.T, stream string, random *rand.Rand) (batches []plog.Logs) {
	t.Helper()
	lines, _, err := streamtest.Load(stream)
	require.NoError(t, err)
	var normalizer eventrecord.Normalizer
	for _, some := range streamtest.Batches(streamtest.Duplicate(streamtest.Shuffle(lines, 300, 5), 4, 6), 90) {
		ld, err := streamtest.ToLogs(some, []string{"", "tasker."}[random.IntN(2)])
		require.NoError(t, err)
		resource := ld.ResourceLogs().At(0)
		for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
			normalizer.Normalize(eventrecord.ApplicationOf(resource.Resource().Attributes()), record)
			if random.IntN(15) > 0 {
				eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
			}
			if random.IntN(5) > 0 {
				eventrecord.SetDecision(record.Attributes(), []lifecycle.Signals{lifecycle.SignalTraces, lifecycle.SignalMetrics, lifecycle.SignalsAll}[random.IntN(3)],
					[]lifecycle.Priority{lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh}[random.IntN(3)])
			}
		}
		batches = append(batches, ld)
	}
	return batches
}

// TestCarriersMeasureAsTheirEvents measures whole streams as records, as carriers with records between them, and as event spans of
// both forms, with restarts. What is counted, reported and stored is the same.
func TestCarriersMeasureAsTheirEvents(t *testing.T) {
	for i, stream := range []string{"mixed", "planned", "order_processing"} {
		for _, temporality := range []string{cumulative, delta} {
			t.Run(stream+" "+temporality, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				change := func(cfg *Config) {
					declareAnything(cfg)
					cfg.AggregationTemporality = temporality
				}
				now := time.Unix(1_790_000_000, 0)
				asRecords, asCarriers := newMeasurer(t, now, change), newMeasurer(t, now, change)
				asSpans, asCarrierSpans := newMeasurer(t, now, change), newMeasurer(t, now, change)
				w := carrier{keeps: func() bool { return random.IntN(15) == 0 }, ends: func() bool { return random.IntN(30) == 0 }}
				events := int64(0)
				for _, ld := range streamBatches(t, stream, random) {
					carriers := w.carried(t, ld)
					require.Less(t, carriers.LogRecordCount(), ld.LogRecordCount())
					asRecords.logs(ld)
					asCarriers.logs(carriers)
					asSpans.spans(spansOfRecords(ld))
					asCarrierSpans.spans(spansOfRecords(carriers))
					if random.IntN(8) == 0 {
						requireSame(t, asRecords, asCarriers)
						requireSame(t, asSpans, asCarrierSpans)
						for _, m := range []*measurer{asRecords, asCarriers, asSpans, asCarrierSpans} {
							m.begin()
						}
					}
				}
				requireSame(t, asRecords, asCarriers)
				requireSame(t, asSpans, asCarrierSpans)
				for _, batch := range asCarriers.tallies {
					events += batch.Events
				}
				require.Positive(t, events)
			})
		}
	}
}

// TestAnyCarrierMeasuresAsItsEvents does the same with events that no component of this project makes.
func TestAnyCarrierMeasuresAsItsEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		age := rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "age")
		change := func(cfg *Config) {
			declareAnything(cfg)
			cfg.MaxEventAge = age
		}
		now := time.Unix(1_790_000_000, 0)
		asRecords, asCarriers, asExpanded := newMeasurer(t, now, change), newMeasurer(t, now, change), newMeasurer(t, now, change)
		draw := func(what string) func() bool { return func() bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 } }
		w := carrier{keeps: draw("kept"), ends: draw("ended")}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			ld := drawRecords(t)
			for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Second)))
				switch rapid.IntRange(0, 3).Draw(t, "time") {
				case 0:
					record.SetTimestamp(record.ObservedTimestamp())
				case 1:
					record.SetTimestamp(0)
				}
				if rapid.IntRange(0, 4).Draw(t, "identified") > 0 {
					eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
				}
				if rapid.Bool().Draw(t, "routed") {
					eventrecord.SetDecision(record.Attributes(), lifecycle.Signals(rapid.IntRange(0, 7).Draw(t, "signals")), lifecycle.PriorityLow)
				}
			}
			carriers := w.carried(t, ld)
			expanded, err := eventbatch.Records(carriers)
			require.NoError(t, err)
			asRecords.logs(ld)
			asCarriers.logs(carriers)
			asExpanded.logs(expanded)
			requireSame(t, asRecords, asCarriers, asExpanded)
		}
	})
}

// carriedTwice returns an order's events in two carriers.
func carriedTwice(t *testing.T) (ld plog.Logs, events int64) {
	t.Helper()
	records, list := shopLogs()
	for i := range 6 {
		addEvent(list, lifecycle.StepCompleted, 1, time.Unix(int64(i), 0), map[string]any{lifecycle.AttrStepID: i})
		eventrecord.SetIdentity(list.At(i).Attributes(), eventrecord.Identity(list.At(i)))
	}
	n := 0
	w := carrier{keeps: never, ends: func() bool { n++; return n == 3 }}
	ld = w.carried(t, records)
	require.Equal(t, 2, ld.LogRecordCount())
	return ld, 6
}

func carriersOf(ld plog.Logs) plog.LogRecordSlice {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}

// TestAMalformedBatch refuses a request permanently, measures nothing of it, and counts its events; after a mistake in an event's
// values only those from this event on.
func TestAMalformedBatch(t *testing.T) {
	cut := func(batch string) string { return batch[:len(batch)-1] }
	for name, test := range map[string]struct {
		change   func(batch string) string
		measured int64
	}{
		"cut":           {cut, 0},
		"empty":         {func(string) string { return "" }, 0},
		"a version":     {func(batch string) string { return "\x7f" + batch[1:] }, 0},
		"head":          {func(batch string) string { return strings.ReplaceAll(batch, "\x00\x00\x00", "\xff\xff\xff") }, 0},
		"event's value": {func(batch string) string { return cut(batch) + "\x7f" }, 5},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, func(cfg *Config) { cfg.EventSpans = true })
			logs, events := carriedTwice(t)
			batch, found := eventbatch.Of(carriersOf(logs).At(1))
			require.True(t, found)
			changed := test.change(batch.Events)
			require.NotEqual(t, batch.Events, changed)
			carriersOf(logs).At(1).Attributes().PutStr(lifecycle.AttrEventBatch, changed)
			spans := spansOfRecords(logs)

			require.True(t, consumererror.IsPermanent(p.logs.ConsumeLogs(t.Context(), logs)))
			require.True(t, consumererror.IsPermanent(p.traces.ConsumeTraces(t.Context(), spans)))
			p.stop(t)
			skipped := p.own(t, "skipped")
			require.Equal(t, test.measured, p.own(t, "recorded_events")[""])
			require.Equal(t, test.measured, skipped["duplicate"], "the same events as spans")
			if name == "empty" {
				events -= 2 // nobody knows how many
			}
			require.Equal(t, 2*(events-test.measured), skipped["malformed"])
		})
	}
}

// TestACarriersEventsAreSkipped counts events, not spans, if event spans are not measured.
func TestACarriersEventsAreSkipped(t *testing.T) {
	for reason, change := range map[string]func(*Config){
		"event_span": func(*Config) {},
		"received":   func(cfg *Config) { cfg.EventSpans, cfg.TrustReceived = true, false },
	} {
		p := newPair(t, change)
		logs, events := carriedTwice(t)
		p.consumeTraces(t, spansOfRecords(logs))
		p.stop(t)
		require.Equal(t, map[string]int64{reason: events}, p.own(t, "skipped"))
	}
}

// TestACarrierWithoutABatch is an event of that name, as it is for eventbatch.Records.
func TestACarrierWithoutABatch(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.EventSpans = true })
	logs, records := shopLogs()
	record := records.AppendEmpty()
	record.SetEventName(lifecycle.EventBatch)
	p.consumeLogs(t, logs)
	p.consumeTraces(t, spansOfRecords(logs))
	p.stop(t)
	require.Equal(t, map[string]uint64{"event=" + lifecycle.Canonical(lifecycle.EventBatch): 2}, counts(read(p.sink.last(), "tasker.events")))
}

// TestNothingKeepsABatch measures large batches, of which series and open tasks remain.
func TestNothingKeepsABatch(t *testing.T) {
	const batches, padding = 40, 1 << 20
	in := newInputs(t, createDefaultConfig().(*Config))
	before := heap()
	for i := range batches {
		ld, list := shopLogs()
		addEvent(list, lifecycle.WorkflowTaskStarted, byte(i+1), time.Now(), map[string]any{lifecycle.AttrTaskName: fmt.Sprint("task_of_", i)})
		addEvent(list, lifecycle.DatabaseQueryExecuted, byte(i+1), time.Now(), map[string]any{
			lifecycle.AttrSQL: fmt.Sprintf("SELECT * FROM table_%d", i), lifecycle.AttrDuration: 1.5, "tasker.padding": strings.Repeat("x", padding),
		})
		for _, record := range list.All() {
			eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
		}
		w := carrier{keeps: never, ends: never}
		require.NoError(t, logsInput(in).ConsumeLogs(t.Context(), w.carried(t, ld)))
	}
	snapshot := in.state.Series.Collect(in.clock.now())
	require.Greater(t, snapshot.Live, 3*batches)
	require.Less(t, heap()-before, 4*padding)
	runtime.KeepAlive(in)
}

// TestEventsOfABatchDoNotAllocate measures new events of known series.
func TestEventsOfABatchDoNotAllocate(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Deduplicate.MaxEntries = 2
	in := newInputs(t, cfg)
	logs, _ := readEvents(t, "mixed")
	for _, record := range carriersOf(logs).All() {
		eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
	}
	w := carrier{keeps: never, ends: never}
	carriers := w.carried(t, logs)
	require.Equal(t, 1, carriers.LogRecordCount())
	allocations := testing.AllocsPerRun(5, func() { require.NoError(t, logsInput(in).ConsumeLogs(t.Context(), carriers)) })
	require.Less(t, allocations, float64(logs.LogRecordCount())/20)
}
