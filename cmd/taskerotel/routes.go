// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

func newRoutes(s streams) *cobra.Command {
	var (
		files  []string
		router string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "routes [--config FILE]… [EVENT…]",
		Short: "Show how events are routed, and why",
		Long: `routes prints the effective map of event_router: the built-in one with the routes of the configuration layered
over it. With event names it prints for each the outcome, the entry that decides, and other matching entries that are
less specific.

Without --config it is the built-in map. Invalid settings are reported as by the collector, and
valid ones that are probably mistakes as warnings.`,
		Example: `  taskerotel routes
  taskerotel routes --config config.yaml
  taskerotel routes --config config.yaml order.placed step.completed
  taskerotel routes --config config.yaml --json | jq 'select(.signals == ["logs"])'`,
		RunE: func(cmd *cobra.Command, events []string) error {
			if router != "" && len(files) == 0 {
				return usageError{configerr.New("--router", router, "requires a configuration", "pass its file with --config")}
			}
			cfg, err := loadRouter(cmd.Context(), files, router)
			if err != nil {
				return err
			}
			table, err := routing.Compile(cfg.Routing())
			if err != nil {
				return err
			}
			for _, warning := range table.Warnings() {
				if _, err := fmt.Fprintln(s.err, "warning:", warning); err != nil {
					return err
				}
			}
			if len(events) == 0 {
				return writeRoutes(s.out, table.Rows(), asJSON)
			}
			return writeRoutes(s.out, table.RowsOf(events), asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&files, "config", nil, "the collector's configuration `file`; may be repeated, later ones are merged over earlier ones")
	flags.StringVar(&router, "router", "", "the router's `name` in the configuration, if there are several, such as event_router/eu")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object per line")
	return cmd
}

func writeRoutes(out io.Writer, rows []routing.Row, asJSON bool) error {
	if asJSON {
		return writeJSONLines(out, rows)
	}
	var table terminal.Table
	table.Row("EVENT", "BECOMES", "TASKS", "PRIORITY", "DECIDED BY")
	for _, row := range rows {
		table.Row(row.Event, row.Becomes(), row.Share(), row.Priority, row.Why())
	}
	return table.Write(out)
}
