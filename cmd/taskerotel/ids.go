// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func newIDs(s streams) *cobra.Command {
	var service, namespace string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ids --service NAME TASK_ID…",
		Short: "Compute the trace and span ids of tasks",
		Long: `ids prints the trace id of tasks, and the id of the span of their first run. They follow from the service and the
task's id only, so an application can link to a trace before its first event was sent. docs/tasker-events.md defines
a task's id; the algorithm is in the documentation of package internal/lifecycle.

A task whose events carry a traceparent is part of the caller's trace: it has the caller's trace id and the same
span id.`,
		Example: `  taskerotel ids --service shop 42 43
  taskerotel ids --service shop --namespace eu --json 0190c5a2-7d3e-7000-8000-000000000001`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("pass at least one task id")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, tasks []string) error {
			if service == "" {
				return usageError{configerr.New("--service", nil, "is missing", "use the service.name of the application")}
			}
			if slices.Contains(tasks, "") {
				return usageError{errors.New("a task id is empty")} // such as an unset variable
			}
			ids := make([]taskIDs, len(tasks))
			for i, task := range tasks {
				ids[i] = idsOf(namespace, service, task)
			}
			if asJSON {
				return writeJSONLines(s.out, ids)
			}
			var table terminal.Table
			table.Row("TASK_ID", "TRACE_ID", "SPAN_ID")
			for _, of := range ids {
				table.Row(of.TaskID, of.TraceID, of.SpanID)
			}
			return table.Write(s.out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&service, "service", "", "the application's service.`name`")
	flags.StringVar(&namespace, "namespace", "", "the application's service.`namespace`")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object per task")
	return cmd
}

// taskIDs are the IDs of a task.
type taskIDs struct {
	TaskID  string `json:"task_id"`
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

func idsOf(namespace, service, task string) taskIDs {
	trace := lifecycle.TraceID(namespace, service, task)
	return taskIDs{task, trace.String(), lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0).String()}
}
