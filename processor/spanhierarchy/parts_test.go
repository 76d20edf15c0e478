// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// With emit: parts an attempt is emitted while its task waits for an operator, and the union of all that is passed on is the truth.
func TestPartsAreEmittedWhileTheirTaskRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 7, Failures: true, SpacingMS: 5})
		sink := new(consumertest.TracesSink)
		h := newTest(t, sink, func(cfg *Config) { cfg.Emit = emitParts })
		require.NoError(t, h.Start(context.Background(), componenttest.NewNopHost()))
		feed := func(td ptrace.Traces) { require.NoError(t, h.ConsumeTraces(context.Background(), td)) }
		feed(eventSpansOf(t, lines[:len(lines)/2]))
		time.Sleep(4 * time.Second)
		early := spanNames(sink.AllTraces())
		require.Positive(t, early[lifecycle.SpanStep])
		feed(eventSpansOf(t, lines[len(lines)/2:]))
		time.Sleep(time.Minute)
		require.NoError(t, h.Shutdown(context.Background()))
		var spans []streamtest.Span
		for _, td := range sink.AllTraces() {
			spans = append(spans, streamtest.FromTraces(td)...)
		}
		require.Empty(t, streamtest.Compare(truth, spans))
	})
}

// A workflow with long timeouts does not delay others: each time is that of the first override that sets it.
func TestTimesByTaskName(t *testing.T) {
	hour, minute, day := time.Hour, time.Minute, 72*time.Hour
	cfg := createDefaultConfig()
	cfg.Overrides = []Override{
		{Tasks: []string{"report_*"}, IdleTimeout: &day},
		{Tasks: []string{"report_daily", "import"}, IdleTimeout: &hour, SettleTimeout: &minute},
	}
	require.NoError(t, cfg.Validate())
	for name, want := range map[string][2]time.Duration{
		"report_daily": {day, minute}, "report_x": {day, cfg.SettleTimeout}, "import": {hour, minute}, "order": {cfg.IdleTimeout, cfg.SettleTimeout},
	} {
		waits := cfg.waits(name)
		require.Equal(t, want, [2]time.Duration{waits.IdleTimeout, waits.SettleTimeout}, name)
		require.Equal(t, cfg.ReorderWindow, waits.ReorderWindow, name)
	}
	second, unit := time.Second, 5*time.Nanosecond
	cfg.Overrides = []Override{
		{IdleTimeout: &hour}, {Tasks: []string{"a"}}, {Tasks: []string{"["}, IdleTimeout: &second}, {Tasks: []string{"a"}, ReorderWindow: &unit},
		{Tasks: []string{"a"}, ReorderWindow: &minute},
	}
	cfg.Emit = "never"
	err := cfg.Validate()
	for _, want := range []string{
		"overrides[0]: names no task; add tasks", "overrides[1]: changes nothing", `overrides[2]::tasks[0]: "[" has a wildcard that is not known`, "overrides[2]::idle_timeout: 1s is zero or less than settle_timeout; use more than 0s, and 30s or more",
		"overrides[3]::reorder_window: 5ns is in", "overrides[4]::settle_timeout: 30s is less than reorder_window; use 1m0s or more", `emit: "never" is not known; use "parts" or "whole"`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// A task has the timeouts of its name.
func TestATaskIsIdleByItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.TracesSink)
		minute := time.Minute
		h := newTest(t, sink, func(cfg *Config) { cfg.Overrides = []Override{{Tasks: []string{"process_*"}, IdleTimeout: &minute}} })
		require.NoError(t, h.Start(context.Background(), componenttest.NewNopHost()))
		require.NoError(t, h.ConsumeTraces(context.Background(), events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
		time.Sleep(minute - time.Second)
		require.Zero(t, sink.SpanCount())
		time.Sleep(2 * time.Second)
		require.Positive(t, sink.SpanCount())
		require.NoError(t, h.Shutdown(context.Background()))
	})
}

// Events of emitted spans of an open task need not stay stored: the journal's size follows the open part, however long the task
// lives.
func TestTheJournalForgetsWhatIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines [][]byte
		for _, s := range streamtest.Scenarios() {
			if s.Name == "enqueued_ten_times" { // eleven passes, twenty minutes apart
				lines = s.Lines
			}
		}
		life := incarnate(t, journaltest.New(), func(cfg *Config) { cfg.Emit = emitParts })
		most := int64(0)
		for i, line := range lines {
			require.NoError(t, life.hierarchy.ConsumeTraces(context.Background(), eventSpansOf(t, [][]byte{line})))
			if i%30 == 29 {
				time.Sleep(time.Minute)
				require.NoError(t, life.state.compact(context.Background()))
				most = max(most, life.state.needed)
			}
		}
		require.Less(t, most, int64(120), "of %d events", len(lines))
		time.Sleep(time.Minute)
		life.stop(t)
	})
}

// Spans that were passed on and recorded are not passed on again, however often the process dies while tasks are open.
func TestDurablePartsAreEmittedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, truth := streamtest.Generate(streamtest.Options{Tasks: 40, Seed: 7, Failures: true, SpacingMS: 5})
		storage := journaltest.New()
		life := incarnate(t, storage, func(cfg *Config) { cfg.EmitAgainWithin = 0 })
		var spans []streamtest.Span
		for i, batch := range streamtest.Batches(lines, 200) {
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), eventSpansOf(t, batch)))
			time.Sleep(1150 * time.Millisecond) // not at the instant at which spans are passed on
			if i%2 == 1 {
				spans = append(spans, life.emitted(time.Now())...)
				_ = life.die(t)
				storage = storage.Crashed()
				life = incarnate(t, storage, func(cfg *Config) { cfg.EmitAgainWithin = 0 })
			}
		}
		time.Sleep(2 * time.Minute)
		spans = append(spans, life.stop(t)...)
		require.Empty(t, streamtest.Compare(truth, spans))
		seen := map[[8]byte]bool{}
		again := 0
		for _, span := range spans {
			if seen[span.SpanID] {
				again++
			}
			seen[span.SpanID] = true
		}
		require.Zero(t, again, "of %d spans", len(spans))
	})
}
