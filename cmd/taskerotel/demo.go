// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/engine"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/send"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// demoRetries of a batch are enough to outlast a restart of the collector.
const demoRetries = 1000

// demoFlags are the flags of demo.
type demoFlags struct {
	settings send.Settings
	headers  []string
	day      engine.DayOptions
	length   time.Duration
}

func newDemo(s streams) *cobra.Command {
	f := demoFlags{settings: send.DefaultSettings()}
	f.settings.Retries, f.settings.Pace, f.settings.BatchSize = demoRetries, 1, 100
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Send a collector the events of an endless, plausible day of workflows",
		Long: `demo fires the events of invented workflows, as a Tasker engine would and at the time at which they happen,
until Ctrl-C: orders, registrations and analytics, few at night and many in the afternoon; retries and backoffs; an
outage of the payment service from 13:00 to 15:00, after which an operator resets some of the failed tasks and
cancels others; killed workers; stuck tasks; queries and memory. A day lasts an hour unless --day is
set; the first one begins at 8:00.

It needs no Tasker and no files. Dashboards, alerts and pages behave as with a real application.`,
		Example: `  taskerotel demo
  taskerotel demo --day 20m --rate 60
  taskerotel demo --for 5m --endpoint https://tasker.example.com/v1/events --header "Authorization=Bearer $TOKEN"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), s)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.settings.Endpoint, "endpoint", f.settings.Endpoint, "the receiver's `URL`, path included")
	flags.StringVar(&f.settings.Compression, "compression", f.settings.Compression, "none or gzip")
	flags.StringArrayVar(&f.headers, "header", nil, "a `key=value` to send with every request; may be repeated")
	registerTLS(flags, &f.settings.TLS)
	flags.DurationVar(&f.day.Length, "day", time.Hour, "how long a day lasts")
	flags.Float64Var(&f.day.TasksPerMinute, "rate", 30, "tasks per minute at the busiest time")
	flags.StringVar(&f.day.Service, "service", "shop", "the application's service.name")
	flags.Uint64Var(&f.day.Seed, "seed", 0, "equal seeds play equal days; 0 selects a random one")
	flags.DurationVar(&f.length, "for", 0, "how long to play; 0 means until Ctrl-C")
	return cmd
}

// maxRate bounds --rate, well below what a collector can process.
const maxRate = 60_000

func (f *demoFlags) validate() error {
	all := []error{
		configerr.AtLeast("--day", f.day.Length, time.Minute),
		configerr.OrZero("--for", f.length, "to play until Ctrl-C"),
	}
	if f.day.TasksPerMinute <= 0 || f.day.TasksPerMinute > maxRate || math.IsNaN(f.day.TasksPerMinute) {
		all = append(all, configerr.New("--rate", f.day.TasksPerMinute, "is out of range", fmt.Sprintf("use more than 0 and at most %d", maxRate)))
	}
	if f.day.Service == "" {
		all = append(all, configerr.New("--service", f.day.Service, "is not a name", "use that of the application"))
	}
	return errors.Join(all...)
}

func (f *demoFlags) run(ctx context.Context, s streams) error {
	header, err := parseHeaders(f.headers)
	f.settings.Header = header
	if err := errors.Join(err, f.validate()); err != nil {
		return usageError{err}
	}
	sender, err := send.New(f.settings)
	if err != nil {
		return usageError{err}
	}
	start := time.Now()
	f.day.Start = start
	// Small IDs that earlier demonstrations have not used.
	f.day.FirstID = start.Unix() % 100_000_000
	if f.day.Seed == 0 {
		f.day.Seed = uint64(start.UnixNano())
	}
	fmt.Fprintf(s.err, "playing days of %s at %s, seed %d; Ctrl-C ends\n", f.day.Length, f.settings.Endpoint, f.day.Seed) //nolint:errcheck // only progress
	silence := showProgress(ctx, s, sender)
	summary := sender.Send(ctx, &daySource{day: engine.NewDay(f.day), end: f.end()})
	silence()
	if err := summary.Write(s.out); err != nil {
		return err
	}
	// Ctrl-C is the usual end.
	if summary.Refused > 0 || summary.GaveUp != "" {
		return errFailed
	}
	return nil
}

// end returns when the demonstration ends, or the zero time.
func (f *demoFlags) end() time.Time {
	if f.length == 0 {
		return time.Time{}
	}
	return f.day.Start.Add(f.length)
}

// daySource is the endless day as a source of a sender, which waits until each event's time.
type daySource struct {
	day *engine.Day
	end time.Time
}

// Next implements send.Source.
func (d *daySource) Next() (eventfile.Item, error) {
	line, at := d.day.Next()
	if !d.end.IsZero() && at.After(d.end) {
		return eventfile.Item{}, io.EOF
	}
	return eventfile.Item{Origin: eventfile.Origin{File: "demo"}, JSON: line}, nil
}
