package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
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
		Short: "Show what becomes of events, and why",
		Long: `routes prints the map of event_router that is in force: the built-in one with the routes of the configuration laid
over it. With names of events it prints what becomes of each, which entry decides so, and which others match but are
less specific.

Without --config it is the built-in map. The configuration's mistakes are reported as the collector reports them, and
what it allows but probably does not mean as a warning.`,
		Example: `  taskerotel routes
  taskerotel routes --config config.yaml
  taskerotel routes --config config.yaml order.placed step.completed
  taskerotel routes --config config.yaml --json | jq 'select(.signals == ["logs"])'`,
		RunE: func(cmd *cobra.Command, events []string) error {
			if router != "" && len(files) == 0 {
				return usageError{fmt.Errorf("--router %q is of a configuration: name its file with --config", router)}
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
				return writeRoutes(s.out, mapInForce(table), asJSON)
			}
			return writeRoutes(s.out, whereEventsGo(table, events), asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&files, "config", nil, "the collector's configuration `file`; may be repeated, later ones are merged over earlier ones")
	flags.StringVar(&router, "router", "", "the router's `name` in the configuration, if there are several, such as event_router/eu")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object a line")
	return cmd
}

// routeRow is an entry of the map, or what becomes of one event.
type routeRow struct {
	// Event is the name, or glob, that the row is about; "otherwise" is what has no route.
	Event   string   `json:"event"`
	Signals []string `json:"signals"`
	// Dropped is the reason for which the event is dropped, else empty.
	Dropped      string  `json:"dropped,omitempty"`
	SamplingRate float64 `json:"sampling_rate"`
	Priority     string  `json:"priority"`
	// Route is the name or glob of the entry that decides, From is where it is written.
	Route string `json:"route,omitempty"`
	From  string `json:"from"`
	// Also are the less specific routes that match, as name and place.
	Also []string `json:"also_matches,omitempty"`
}

// otherwise is the row for names without a route.
const otherwise = "otherwise"

func rowOf(event string, d *routing.Decision) routeRow {
	row := routeRow{
		Event: event, Signals: []string{}, Dropped: string(d.Reason), SamplingRate: d.SamplingRate,
		Priority: string(d.Priority), Route: d.Route, From: d.Place,
	}
	if d.Reason == routing.ReasonNone {
		row.Signals = strings.Split(d.Signals.String(), ",")
	}
	return row
}

// mapInForce has the filters first, because they come before every route, and last what has no route.
func mapInForce(table *routing.Table) []routeRow {
	var rows []routeRow
	for i, event := range table.Filters() {
		rows = append(rows, routeRow{
			Event: event, Signals: []string{}, Dropped: string(routing.ReasonFiltered), Priority: string(lifecycle.PriorityNormal),
			Route: event, From: fmt.Sprintf("filtered_events[%d]", i),
		})
	}
	for _, entry := range table.Entries() {
		rows = append(rows, rowOf(entry.Event, table.Of(entry)))
	}
	return append(rows, rowOf(otherwise, table.Fallback()))
}

func whereEventsGo(table *routing.Table, events []string) []routeRow {
	rows := make([]routeRow, 0, len(events))
	for _, event := range events {
		name := lifecycle.Canonical(event)
		explained := table.Explain(name)
		row := rowOf(name, explained.Decision)
		for _, entry := range explained.Lost {
			row.Also = append(row.Also, fmt.Sprintf("%s (%s)", entry.Event, entry.Place))
		}
		rows = append(rows, row)
	}
	return rows
}

func writeRoutes(out io.Writer, rows []routeRow, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		for _, row := range rows {
			if err := encoder.Encode(row); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(table, "EVENT\tBECOMES\tTASKS\tPRIORITY\tDECIDED BY"); err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", printable.Line(row.Event), row.becomes(), row.share(),
			row.Priority, printable.Line(row.why())); err != nil {
			return err
		}
	}
	return table.Flush()
}

func (r *routeRow) becomes() string {
	if r.Dropped != "" {
		return "dropped: " + r.Dropped
	}
	return strings.Join(r.Signals, ", ")
}

// share is how many of the tasks reach traces and logs.
func (r *routeRow) share() string {
	if r.Dropped != "" {
		return "-"
	}
	return strconv.FormatFloat(r.SamplingRate*100, 'g', 6, 64) + " %"
}

func (r *routeRow) why() string {
	why := r.From
	if r.Route != "" && r.Route != r.Event {
		why += " " + r.Route
	}
	if len(r.Also) > 0 {
		why += ", before " + strings.Join(r.Also, ", ")
	}
	return why
}
