// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// both holds an exporter for traces and one for logs, with the same configuration.
type both struct {
	traces    exporter.Traces
	logs      exporter.Logs
	cfg       *Config
	telemetry *componenttest.Telemetry
}

func newBoth(t *testing.T, change func(*Config)) *both {
	t.Helper()
	b := &both{cfg: createDefaultConfig().(*Config), telemetry: componenttest.NewTelemetry()}
	b.cfg.Path = filepath.Join(t.TempDir(), "new", "{signal}.csv")
	if change != nil {
		change(b.cfg)
	}
	require.NoError(t, b.cfg.Validate())
	settings := exportertest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = b.telemetry.NewTelemetrySettings()
	var err error
	b.traces, err = NewFactory().CreateTraces(t.Context(), settings, b.cfg)
	require.NoError(t, err)
	b.logs, err = NewFactory().CreateLogs(t.Context(), settings, b.cfg)
	require.NoError(t, err)
	return b
}

func startBoth(t *testing.T, change func(*Config)) *both {
	t.Helper()
	b := newBoth(t, change)
	for _, e := range []component.Component{b.traces, b.logs} {
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	}
	return b
}

func (b *both) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, b.traces.Shutdown(t.Context()))
	require.NoError(t, b.logs.Shutdown(t.Context()))
}

// failedStep returns the span of a failed attempt.
func failedStep() ptrace.Traces {
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	resource.Resource().Attributes().PutStr("host.name", "web-1")
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("tasker.step.execution")
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{2})
	span.SetParentSpanID(pcommon.SpanID{3})
	span.SetStartTimestamp(at(1))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at(1).AsTime().Add(1500 * time.Millisecond)))
	span.Status().SetCode(ptrace.StatusCodeError)
	span.Status().SetMessage("=cmd|' /C calc'!A0")
	for key, value := range map[string]string{
		"tasker.task_name": "order_processing", "tasker.step_name": "charge, \"card\"\nnow", "tasker.status": "failure",
		"error.type": "Timeout::Error", "plain": "-5", "other": "x\x00y",
	} {
		span.Attributes().PutStr(key, value)
	}
	span.Attributes().PutInt("tasker.task_id", 42)
	span.Attributes().PutInt("tasker.attempt_number", 2)
	span.Attributes().PutEmptySlice("tasker.step_ids").AppendEmpty().SetInt(7)
	return td
}

func failedEvent() plog.Logs {
	ld := plog.NewLogs()
	resource := ld.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("step.failed")
	r.SetObservedTimestamp(at(9))
	r.SetTraceID(pcommon.TraceID{1})
	r.SetSeverityNumber(plog.SeverityNumberError)
	r.Body().SetStr("Step charge_card failed")
	r.Attributes().PutStr("tasker.step_name", "charge_card")
	r.Attributes().PutStr("tasker.correlation_id", "tsk_1")
	r.Attributes().PutInt("tasker.attempt", 3)
	r.Attributes().PutInt("tasker.retry_limit", 5)
	return ld
}

func TestSpanAndLogRows(t *testing.T) {
	b := startBoth(t, nil)
	require.NoError(t, b.traces.ConsumeTraces(t.Context(), failedStep()))
	require.NoError(t, b.logs.ConsumeLogs(t.Context(), failedEvent()))
	const trace = "01000000000000000000000000000000"
	assert.Equal(t, [][]string{
		{"trace_id", "span_id", "parent_span_id", "level", "name", "task_id", "task_name", "step_id", "step_name", "attempt",
			"start", "end", "duration_seconds", "status", "error_type", "error_message", "service.name", "service.namespace"},
		{trace, "0200000000000000", "0300000000000000", "4", "tasker.step.execution", "42", "order_processing", "",
			`charge, "card"\nnow`, "2", "2026-03-01T12:00:01.000000000Z", "2026-03-01T12:00:02.500000000Z", "1.5", "failure", "Timeout::Error",
			"'=cmd|' /C calc'!A0", "shop", ""},
	}, readFile(t, b.cfg.path(signalTraces)))
	assert.Equal(t, [][]string{
		{"timestamp", "event", "severity", "body", "trace_id", "span_id", "task_id", "task_name", "step_id", "step_name", "attempt",
			"correlation_id", "attributes", "service.name", "service.namespace"},
		{"2026-03-01T12:00:09.000000000Z", "step.failed", "ERROR", "Step charge_card failed", trace, "", "", "", "", "charge_card", "3", "tsk_1",
			`{"tasker.retry_limit":5}`, "shop", ""},
	}, readFile(t, b.cfg.path(signalLogs)))
}

func TestChosenColumnsOfRecords(t *testing.T) {
	b := startBoth(t, func(cfg *Config) {
		cfg.Columns = []string{"duration_seconds", "tasker.task_name", "attributes", "host.name", "plain", "task_id", "nothing", "kind"}
		cfg.FormulaGuard, cfg.Delimiter, cfg.TimestampFormat = false, ";", "unix_ms"
	})
	require.NoError(t, b.traces.ConsumeTraces(t.Context(), failedStep()))
	rows := readDelimited(t, b.cfg.path(signalTraces), ';')
	assert.Equal(t, []string{
		"1.5", "order_processing",
		`{"error.type":"Timeout::Error","other":"x\u0000y","tasker.attempt_number":2,"tasker.status":"failure",` +
			`"tasker.step_ids":[7],"tasker.step_name":"charge, \"card\"\nnow"}`,
		"web-1", "-5", "42", "", "Unspecified",
	}, rows[1])
}

// TestEveryAttributeIsSomewhere checks that an attribute with the name of an unrelated column is among the others.
func TestEveryAttributeIsSomewhere(t *testing.T) {
	b := startBoth(t, func(cfg *Config) { cfg.FormulaGuard = false })
	ld := failedEvent()
	attributes := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	for _, key := range []string{"event", "severity", "tasker.timestamp", "body", "attempt", "step_name", "trace_id"} {
		attributes.PutStr(key, "of the application")
	}
	attributes.PutStr("task_name", "shown")
	require.NoError(t, b.logs.ConsumeLogs(t.Context(), ld))
	rows := readFile(t, b.cfg.path(signalLogs))
	cells := map[string]string{}
	for i, column := range rows[0] {
		cells[column] = rows[1][i]
	}
	assert.Equal(t, []string{"step.failed", "charge_card", "shown", "3"},
		[]string{cells["event"], cells["step_name"], cells["task_name"], cells["attempt"]})
	assert.Equal(t, `{"attempt":"of the application","body":"of the application","event":"of the application",`+
		`"severity":"of the application","step_name":"of the application","tasker.retry_limit":5,`+
		`"tasker.timestamp":"of the application","trace_id":"of the application"}`, cells["attributes"])
}

// TestAppendedAcrossRestarts checks that appended rows remain, the header is written once, and an incomplete row is removed
// and counted.
func TestAppendedAcrossRestarts(t *testing.T) {
	var path string
	directory := t.TempDir()
	config := func(cfg *Config) { cfg.Path = filepath.Join(directory, "{signal}.csv") }
	for i := range 3 {
		b := startBoth(t, config)
		require.NoError(t, b.traces.ConsumeTraces(t.Context(), failedStep()))
		path = b.cfg.path(signalTraces)
		b.stop(t)
		assert.Len(t, readFile(t, path), 2+i)
	}
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content[:len(content)-20], 0o600))
	b := startBoth(t, config)
	assert.Len(t, readFile(t, path), 3)
	last := strings.LastIndex(string(content[:len(content)-1]), "\n01") + 1
	metadatatest.AssertEqualExporterTaskerCsvCutBytes(t, b.telemetry, []metricdata.DataPoint[int64]{{
		Value: int64(len(content) - 20 - last), Attributes: ofSignal("traces"),
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestSnapshotOfTheLatestRecords(t *testing.T) {
	b := startBoth(t, func(cfg *Config) { cfg.Mode, cfg.MaxRows, cfg.MinWriteInterval, cfg.Header = ModeSnapshot, 3, 0, false })
	ids := func() (ids []string) {
		for _, row := range readFile(t, b.cfg.path(signalTraces)) {
			ids = append(ids, row[1][:2])
		}
		return ids
	}
	send := func(id byte) error {
		td := failedStep()
		td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID(pcommon.SpanID{id})
		return b.traces.ConsumeTraces(t.Context(), td)
	}
	for id := range byte(5) {
		require.NoError(t, send(id+1))
	}
	assert.Equal(t, []string{"03", "04", "05"}, ids())
	directory := filepath.Dir(b.cfg.Path)
	require.NoError(t, os.Rename(directory, directory+".away"))
	require.ErrorContains(t, send(6), directory)
	require.NoError(t, os.Rename(directory+".away", directory))
	require.NoError(t, send(6))
	assert.Equal(t, []string{"04", "05", "06"}, ids(), "once, although it was tried twice")
}

// TestOneFileForTwo checks that two exporters cannot write to one file, whether of two collectors or of two signals.
func TestOneFileForTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, func(cfg *Config) { cfg.Path = strings.Replace(cfg.Path, "{signal}", "same", 1) })
		require.NoError(t, b.traces.Start(t.Context(), componenttest.NewNopHost()))
		err := b.logs.Start(t.Context(), componenttest.NewNopHost())
		require.ErrorContains(t, err, "use a separate file for each exporter and signal, such as ./data/tasker-{signal}.csv")
		require.ErrorContains(t, err, "traces", "who has it")
		b.stop(t)
	})
}

// TestStartLeavesAnothersFileAlone checks that a file that another collector is writing is not repaired.
func TestStartLeavesAnothersFileAlone(t *testing.T) {
	for _, mode := range []Mode{ModeAppend, ModeSnapshot} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoth(t, func(cfg *Config) { cfg.Mode, cfg.Path = mode, strings.Replace(cfg.Path, "{signal}", "same", 1) })
				require.NoError(t, b.traces.Start(t.Context(), componenttest.NewNopHost()))
				unfinished := b.cfg.Path
				if mode == ModeSnapshot {
					unfinished = filepath.Join(filepath.Dir(b.cfg.Path), ".same.csv.00000001.tmp")
				}
				require.NoError(t, os.WriteFile(unfinished, []byte("a,b\n1,\"half a r"), 0o600))
				require.ErrorContains(t, b.logs.Start(t.Context(), componenttest.NewNopHost()), "in use")
				content, err := os.ReadFile(unfinished)
				require.NoError(t, err)
				require.Equal(t, "a,b\n1,\"half a r", string(content))
				b.stop(t)
			})
		})
	}
}

// TestMetricsAppended checks that each write appends a row per updated series, that new labels rotate the file, and that an
// existing header is kept across a restart.
func TestMetricsAppended(t *testing.T) {
	directory := t.TempDir()
	config := func(cfg *Config) { cfg.Mode, cfg.Path = ModeAppend, filepath.Join(directory, "{signal}.csv") }
	e := start(t, config)
	path := e.path
	require.Equal(t, filepath.Join(directory, "metrics.csv"), path)
	for i := range 3 {
		require.NoError(t, e.ConsumeMetrics(t.Context(), counter(int64(i), i)))
	}
	rows := readFile(t, path)
	assert.Len(t, rows, 4)
	assert.Equal(t, []string{"0", "1", "2"}, []string{rows[1][3], rows[2][3], rows[3][3]})

	wider := counter(7, 3)
	wider.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0).Attributes().PutStr("region", "eu")
	require.NoError(t, e.ConsumeMetrics(t.Context(), wider))
	rows = readFile(t, path)
	assert.Len(t, rows, 2, "the header and the row")
	assert.Contains(t, rows[0], "region")
	require.NoError(t, e.Shutdown(t.Context()))

	e = start(t, config)
	require.NoError(t, e.ConsumeMetrics(t.Context(), counter(9, 9)))
	assert.Equal(t, rows[0], readFile(t, path)[0], "the label that nobody has now keeps its column")
	assert.Len(t, readFile(t, path), 3)
	old, err := filepath.Glob(filepath.Join(directory, "metrics-*-columns.csv"))
	require.NoError(t, err)
	assert.Len(t, old, 1)
}

// TestSnapshotKeepsColumns checks that a restart keeps the columns of a snapshot, compressed or not.
func TestSnapshotKeepsColumns(t *testing.T) {
	directory := t.TempDir()
	config := func(cfg *Config) { cfg.Path = filepath.Join(directory, "{signal}.csv") }
	e := start(t, config)
	require.NoError(t, e.ConsumeMetrics(t.Context(), counter(1, 1)))
	header := readFile(t, e.path)[0]
	require.NoError(t, e.Shutdown(t.Context()))
	e = start(t, config)
	bare := counter(1, 2)
	bare.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0).Attributes().Clear()
	require.NoError(t, e.ConsumeMetrics(t.Context(), bare))
	assert.Equal(t, header, readFile(t, e.path)[0])
}

// TestAnyAttributesMakeWholeRows checks that the file is a valid table whatever attributes contain, and that texts
// round-trip.
func TestAnyAttributesMakeWholeRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBoth(t, func(cfg *Config) { cfg.Columns = []string{"a", "name", "b"}; cfg.FormulaGuard = false })
		require.NoError(rt, b.traces.Start(t.Context(), componenttest.NewNopHost()))
		var want [][]string
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			td := failedStep()
			span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
			first, second := rapid.String().Draw(rt, "a"), rapid.StringMatching(`[",;\n='\t a]*`).Draw(rt, "b")
			span.Attributes().PutStr("a", first)
			span.Attributes().PutStr("b", second)
			want = append(want, []string{printable.Value(first), "tasker.step.execution", printable.Value(second)})
			require.NoError(rt, b.traces.ConsumeTraces(t.Context(), td))
		}
		b.stop(t)
		rows := readFile(t, b.cfg.path(signalTraces))[1:]
		text, err := os.ReadFile(b.cfg.path(signalTraces))
		require.NoError(rt, err)
		require.Equal(rt, 1+len(want), bytes.Count(text, []byte("\n")), "a row is one line")
		require.Equal(rt, want, rows)
	})
}

// BenchmarkSpans appends and syncs 1000 spans.
func BenchmarkSpans(b *testing.B) {
	cfg := createDefaultConfig().(*Config)
	cfg.Path = filepath.Join(b.TempDir(), "{signal}.csv")
	e, err := NewFactory().CreateTraces(b.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Start(b.Context(), componenttest.NewNopHost()); err != nil {
		b.Fatal(err)
	}
	td := failedStep()
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for range 999 {
		spans.At(0).CopyTo(spans.AppendEmpty())
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.ConsumeTraces(b.Context(), td); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/span")
	if err := e.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}
