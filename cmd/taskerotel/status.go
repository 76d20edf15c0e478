// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/status"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Exit statuses of status and sync, in addition to exitUnreachable.
const (
	exitMemoryOnly = 8
	exitNotStored  = 9
	exitUnhealthy  = 10
)

func newStatus(s streams) *cobra.Command {
	settings, requests := status.DefaultSettings(), newScrapeFlags()
	var allowFailing, asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show a collector's health, state, open tasks and losses",
		Long: `status asks a running collector for its internal telemetry (service::telemetry, port 8888) and for its health
(healthcheckv2, port 13133), and shows: version and uptime, the pipelines, what each component holds and what of that
survives a restart or a crash, open tasks, each exporter, the last flush, table and export, and what was refused,
dropped or cut, by reason, since startup.

An exporter fails if it has dropped data since its last success, or if requests have been waiting for more
than a minute in which it sent nothing (which takes a second reading, five seconds later).

Exit status: 0 healthy, 2 a mistake in the command line, 3 the collector could not be queried, 10 it is not healthy, the
latest write of a component's state failed, stored state was lost since startup, or an exporter fails; stderr lists
what was lost and which exporters fail.`,
		Example: `  taskerotel status
  taskerotel status --telemetry http://gateway-1:8888/metrics --health http://gateway-1:13133/health/status
  taskerotel status --exported /var/lib/tasker/metrics.csv --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if settings.Scrape, err = requests.scrapeSettings(); err != nil {
				return usageError{err}
			}
			return showStatus(cmd.Context(), s, settings, allowFailing, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&settings.Telemetry, "telemetry", settings.Telemetry, "the `URL` of the collector's internal metrics")
	flags.StringVar(&settings.Health, "health", settings.Health, "the `URL` of healthcheckv2's status; empty to leave it out")
	flags.StringVar(&settings.Exported, "exported", "", "the `file` that export writes, to check when it last did")
	flags.BoolVar(&allowFailing, "allow-failing-exporters", false, "exit with 0 even if an exporter fails, or stored state was lost at startup: for a check that restarts the collector")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object; its error is the reason why the collector could not be queried")
	requests.register(flags)
	return cmd
}

func showStatus(ctx context.Context, s streams, settings status.Settings, allowFailing, asJSON bool) error {
	found, err := status.Read(ctx, settings)
	if err != nil {
		return queryFailed(s, asJSON, err)
	}
	if err := writeEither(s.out, asJSON, found, found.Write); err != nil {
		return err
	}
	failing := found.FailingExporters()
	for _, exporter := range failing {
		if _, err := fmt.Fprintf(s.err, "exporter %s\n", printable.Line(exporter)); err != nil {
			return err
		}
	}
	problems := found.StateProblems()
	for _, problem := range problems {
		if _, err := fmt.Fprintf(s.err, "stored state: %s\n", printable.Line(problem)); err != nil {
			return err
		}
	}
	switch {
	case len(failing)+len(problems) > 0 && !allowFailing:
		return exitStatus(exitUnhealthy)
	case found.HealthError != "":
		return exitStatus(exitUnreachable)
	case !found.HealthyApartFromExporters():
		return exitStatus(exitUnhealthy)
	}
	return nil
}

func newSync(s streams) *cobra.Command {
	settings, requests := status.DefaultSettings(), newScrapeFlags()
	var directories []string
	var allowMemory, asJSON bool
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Check that everything a collector acknowledged is on disk",
		Long: `sync checks that everything that a running collector has acknowledged is stored, and since when. There is nothing to
write: a component with storage (event_router, span_hierarchy, span_to_metrics) stores the data of a request
before it acknowledges it. So sync needs no schedule; use it before risky operations, and for monitoring.

A storage without fsync survives the end of the process, but the system decides when it is written to disk. --directory
(file_storage's; pass all of them) makes the system write it now, so that power loss after sync loses nothing from
before it, and reads every file of the collector's storage that should be there.

Exit status: 0 everything acknowledged is stored, 1 a directory could not be flushed, 2 a mistake in the command line,
3 the collector could not be queried, 8 a component keeps its state in memory only (--allow-memory), 9 the latest write
of a component failed, stored state was lost since the collector's startup, or a file is missing or damaged.`,
		Example: `  taskerotel sync
  taskerotel sync --directory /var/lib/otelcol-tasker/state --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if settings.Scrape, err = requests.scrapeSettings(); err != nil {
				return usageError{err}
			}
			return syncState(cmd.Context(), s, settings, directories, allowMemory, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&settings.Telemetry, "telemetry", settings.Telemetry, "the `URL` of the collector's internal metrics")
	flags.StringArrayVar(&directories, "directory", nil, "a `directory` of a storage to flush to disk and to verify; may be repeated")
	flags.BoolVar(&allowMemory, "allow-memory", false, "accept components that keep their state in memory only")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object; its error is the reason why the collector could not be queried")
	requests.register(flags)
	return cmd
}

func syncState(ctx context.Context, s streams, settings status.Settings, directories []string, allowMemory, asJSON bool) error {
	found, err := status.CheckDurability(ctx, settings, directories)
	if found == nil {
		return queryFailed(s, asJSON, err)
	}
	if writeErr := writeEither(s.out, asJSON, found, found.Write); writeErr != nil || err != nil {
		return errors.Join(err, writeErr)
	}
	if names := found.Failing(); len(names) > 0 {
		return exitWith(s, exitNotStored, "the latest write of %s failed: see the collector's log and its disk", strings.Join(names, ", "))
	}
	if problems := found.Problems(); len(problems) > 0 {
		return exitWith(s, exitNotStored, "stored state was lost, or its files are missing or damaged: %s\nsee the collector's log and docs/durability.md",
			strings.Join(problems, "; "))
	}
	if names := found.MemoryOnly(); len(names) > 0 && !allowMemory {
		return exitWith(s, exitMemoryOnly, "%s keep their state in memory only: give them storage (examples/durable.yaml), or use "+
			"--allow-memory", strings.Join(names, ", "))
	}
	return nil
}

// queryFailed distinguishes a collector that cannot be queried from a mistake in the command line. With --json the reason is
// written as JSON.
func queryFailed(s streams, asJSON bool, err error) error {
	var unreachable *status.UnreachableError
	if !errors.As(err, &unreachable) {
		return usageError{err}
	}
	if asJSON {
		if err := json.NewEncoder(s.out).Encode(map[string]string{"error": err.Error()}); err != nil {
			return err
		}
	}
	return exitWith(s, exitUnreachable, "the collector could not be queried: %v\ncheck that it is running, that service::telemetry::metrics has "+
		"a reader, and --telemetry", err)
}

// exitWith writes a reason and returns the exit status.
func exitWith(s streams, code int, format string, args ...any) error {
	if _, err := fmt.Fprintf(s.err, format+"\n", args...); err != nil {
		return err
	}
	return exitStatus(code)
}

// writeEither writes a value as JSON or as text.
func writeEither(w io.Writer, asJSON bool, value any, text func(io.Writer) error) error {
	if asJSON {
		return json.NewEncoder(w).Encode(value)
	}
	return text(w)
}

// writeJSONLines writes one JSON object per line.
func writeJSONLines[T any](w io.Writer, values []T) error {
	encoder := json.NewEncoder(w)
	for i := range values {
		if err := encoder.Encode(&values[i]); err != nil {
			return err
		}
	}
	return nil
}
