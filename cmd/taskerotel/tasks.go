// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/live"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// tasksFlags are the flags of tasks.
type tasksFlags struct {
	from, search, workflow, state, service, sort string
	older, every                                 time.Duration
	limit                                        int
	watch, json                                  bool
	requests                                     scrapeFlags
}

func newTasks(s streams) *cobra.Command {
	f := tasksFlags{requests: newScrapeFlags()}
	cmd := &cobra.Command{
		Use:   "tasks",
		Short: "List the tasks that a collector holds",
		Long: `tasks lists the open tasks of a running collector, and those that ended recently, the most recently changed first. It
queries the collector's live pages (the extension tasker_pages, port 8890).

States: queued, running, waiting (for its next pass), backing_off, blocked (by a failed step), settling (ended, its
spans are not emitted yet); success, failure, cancelled, resolved_manually, incomplete; and open or finished for all of
these.

Exit status: 0 on success, also if there is no task, 1 if the collector could not be queried, 2 for a mistake in
the command line.`,
		Example: `  taskerotel tasks --state blocked
  taskerotel tasks --search PaymentGateway::TimeoutError --workflow process_order
  taskerotel tasks --watch --state open --sort took`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return listTasks(cmd.Context(), s, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", live.DefaultAddress, "the `URL` of the collector's live pages")
	flags.StringVar(&f.search, "search", "", "only tasks with this `text` in an id, a name of a step or workflow, or an error")
	flags.StringVar(&f.workflow, "workflow", "", "only tasks of this `name`")
	flags.StringVar(&f.state, "state", "", "only tasks in this `state`")
	flags.StringVar(&f.service, "service", "", "only tasks of this `service`")
	flags.DurationVar(&f.older, "older", 0, "only tasks that have been open, or took, longer")
	flags.StringVar(&f.sort, "sort", "changed", "changed, started (latest first) or took (longest first)")
	flags.IntVar(&f.limit, "limit", 20, "how many tasks to list, 1000 at most")
	flags.BoolVar(&f.watch, "watch", false, "refresh the list until Ctrl-C")
	flags.DurationVar(&f.every, "every", 2*time.Second, "the interval of --watch")
	flags.BoolVar(&f.json, "json", false, "write one JSON object per task")
	f.requests.register(flags)
	return cmd
}

func (f *tasksFlags) parameters() (url.Values, error) {
	mistakes := []error{configerr.InRange("--limit", f.limit, 1, 1000), configerr.OrZero("--older", f.older, "for any age")}
	if f.watch {
		mistakes = append(mistakes, configerr.AtLeast("--every", f.every, 100*time.Millisecond))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	q := url.Values{"limit": {strconv.Itoa(f.limit)}, "sort": {f.sort}}
	for key, value := range map[string]string{"q": f.search, "workflow": f.workflow, "state": f.state, "service": f.service} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if f.older > 0 {
		q.Set("older", f.older.String())
	}
	return q, nil
}

func listTasks(ctx context.Context, s streams, f tasksFlags) error {
	parameters, err := f.parameters()
	if err != nil {
		return usageError{err}
	}
	client, err := f.requests.live(f.from)
	if err != nil {
		return err
	}
	for {
		list, err := client.Tasks(ctx, parameters)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if f.watch && !f.json && terminal.Is(s.out) {
			if _, err := io.WriteString(s.out, "\x1b[H\x1b[2J"); err != nil {
				return err
			}
		}
		if err := f.write(s.out, list); err != nil || !f.watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.every):
		}
	}
}

func (f *tasksFlags) write(out io.Writer, list *live.List) error {
	if f.json {
		return writeJSONLines(out, list.Tasks)
	}
	var table terminal.Table
	table.Row("TASK", "ID", "STATE", "STEPS", "TOOK", "SERVICE", "STEP OR ERROR")
	for i := range list.Tasks {
		t := &list.Tasks[i]
		table.Row(t.Name, t.ID, strings.ReplaceAll(t.State, "_", " "), stepsOf(t), treeview.Duration(int64(t.Seconds*1e9)), t.Service,
			terminal.Truncate(currentStep(t), 70, "…"))
	}
	table.Rowf("%d of %d, %s", len(list.Tasks), list.Found, list.At.Format(time.RFC3339))
	return table.Write(out)
}

func stepsOf(t *livedata.TaskSummary) string {
	if !t.Open {
		return strconv.Itoa(t.Steps)
	}
	return fmt.Sprintf("%d/%d", t.Done, t.Steps)
}

func currentStep(t *livedata.TaskSummary) string {
	if t.Failed > 0 || t.State == "failure" {
		return printable.Line(strings.TrimSpace(t.FailedStep + " " + t.ErrorType + " " + t.Error))
	}
	return printable.Line(t.Step)
}
