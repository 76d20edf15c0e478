// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/simulate"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// simulateFlags are the flags of simulate.
type simulateFlags struct {
	config    []string
	service   string
	directory string
	expect    string
	json      bool
}

func newSimulate(s streams) *cobra.Command {
	f := simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate FILE…",
		Short: "Show the spans, metrics and records that a configuration produces from event files",
		Long: `simulate runs event files through event_router, routed_events, span_hierarchy and span_to_metrics, in this process,
with the settings of --config or the defaults, and shows the output, and what was dropped and why. No collector is
needed, nothing is sent and no state is changed. A file is NDJSON, or JSON objects and arrays, plain, gzip or zstd; -
is standard input.

The components are connected as in the default configuration; other processors and pipelines are ignored.
All events are received within seconds, whatever their times: settings that compare an event's time with the clock
(max_event_age, active_max_age) treat old files as late. Tasks that are open at the end are emitted as incomplete.

--output stores the tables of spans, records and metrics. tree shows single tasks.

--expect compares the result with a YAML file, for CI. Each entry counts the rows of a table whose columns have the
texts or globs of where, or adds up their values:

  events: {accepted: 2160, refused: 0}
  spans:
    - {where: {name: tasker.task.execution, status: success}, count: 30}
  records:
    - {where: {event: step.failed}, count: {max: 5}}
  metrics:
    - {where: {name: tasker.step.executions, step_name: "charge_*"}, value: {min: 30}}
  losses:
    - {where: {metric: processor_event_router_dropped, reason: no_route}, value: 0}
  nothing_else: [losses]

Exit status: 0 when all went well, 1 when items were refused, an expectation was not met or something failed, 2 for a
mistake in the command line. Where expectations say how many events are refused, refused ones are no failure.`,
		Example: `  taskerotel simulate events.ndjson
  taskerotel simulate --config config.yaml --output result events.ndjson
  taskerotel simulate --config config.yaml --json events.ndjson | jq .losses
  taskerotel simulate --config config.yaml --expect expectations.yaml events.ndjson`,
		Args: someFiles,
		RunE: func(cmd *cobra.Command, files []string) error { return f.run(cmd.Context(), s, files) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.config, "config", nil, "a configuration `file` of the collector; may be repeated")
	flags.StringVar(&f.service, "service", "", "the service of events without one")
	flags.StringVarP(&f.directory, "output", "o", "", "a `directory` for traces.csv, logs.csv and metrics.csv; it must be empty")
	flags.StringVar(&f.expect, "expect", "", "a `file` of expectations; only unmet ones are shown")
	flags.BoolVar(&f.json, "json", false, "write one JSON object")
	return cmd
}

func (f *simulateFlags) run(ctx context.Context, s streams, files []string) (err error) {
	settings := simulate.Settings{Config: simulate.DefaultConfig(), Directory: f.directory, Service: f.service, Log: warningsTo(s.err)}
	if len(f.config) > 0 {
		conf, err := collectorconfig.Load(ctx, f.config)
		if err != nil {
			return err
		}
		if settings.Config, err = simulate.ReadConfig(conf); err != nil {
			return err
		}
	}
	if f.expect != "" {
		if settings.Expect, err = simulate.ReadExpectations(f.expect); err != nil {
			return usageError{err}
		}
	}
	source, err := openSource(ctx, s, files)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // only read
	if entries, err := os.ReadDir(f.directory); err == nil && len(entries) > 0 {
		return usageError{configerr.New("--output", f.directory, "is not empty", "use another directory")}
	}
	refusals := refusalList{out: s.err}
	settings.Refused = refusals.add
	result, err := simulate.Run(ctx, source, settings)
	if result == nil {
		return err
	}
	refusals.close(result.Refused)
	out := bufio.NewWriter(s.out)
	writeErr := writeEither(out, f.json, result, func(w io.Writer) error {
		if settings.Expect != nil {
			return writeMismatches(w, result)
		}
		return writeSimulation(w, result)
	})
	if err := errors.Join(err, writeErr, out.Flush()); err != nil {
		return err
	}
	refusedIsExpected := settings.Expect != nil && settings.Expect.Events.Refused != nil
	if result.Refused > 0 && !refusedIsExpected || len(result.Mismatches) > 0 {
		return errFailed
	}
	return nil
}

// writeMismatches writes unmet expectations.
func writeMismatches(w io.Writer, r *simulate.Result) error {
	var text strings.Builder
	for _, m := range r.Mismatches {
		about := m.Place
		if m.Where != "" {
			about += " " + printable.Line(m.Where)
		}
		fmt.Fprintf(&text, "%s\n  expected  %s\n  found     %s\n", about, m.Expected, printable.Line(m.Found))
	}
	if len(r.Mismatches) == 0 {
		fmt.Fprintf(&text, "as expected: %s accepted, %d refused\n", treeview.Count(int64(r.Accepted), "event"), r.Refused)
	} else {
		fmt.Fprintf(&text, "%s not met\n", treeview.Count(int64(len(r.Mismatches)), "expectation"))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// warningsTo returns a logger for the components' warnings.
func warningsTo(w io.Writer) *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "message", LevelKey: "level", EncodeLevel: zapcore.LowercaseLevelEncoder})
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(w), zap.WarnLevel))
}

func writeSimulation(w io.Writer, r *simulate.Result) error {
	var table terminal.Table
	table.Rowf("%d events accepted, %d refused", r.Accepted, r.Refused)
	table.Section("SPAN", "COUNT", "INCOMPLETE", "STATUS")
	for _, s := range r.Spans {
		table.Row(s.Name, fmt.Sprint(s.Spans), fmt.Sprint(s.Incomplete), counts(s.Status))
	}
	table.Section("RECORD OF", "COUNT")
	for _, c := range r.Records {
		table.Row(c.Name, fmt.Sprint(c.Count))
	}
	table.Section("METRIC", "VALUE", "LABELS")
	for _, m := range r.Metrics {
		if m.Labels["quantile"] == "" { // otherwise count and sum are sufficient
			table.Row(m.Name, m.Value, terminal.Labels(m.Labels))
		}
	}
	table.Section("REFUSED, DROPPED OR CUT", "COUNT", "")
	for _, l := range r.Losses {
		table.Row(l.Metric, fmt.Sprint(l.Count), terminal.Labels(l.Labels))
	}
	return table.Write(w)
}

func counts(of map[string]int) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %d", key, of[key]))
	}
	return strings.Join(parts, ", ")
}
