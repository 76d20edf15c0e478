// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/cmd/internal/buildversion"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
)

// Exit statuses shared by all commands; docs/taskerotel.md lists all.
const (
	exitOK     = 0
	exitFailed = 1 // some events were refused or not delivered, or a file could not be read
	exitUsage  = 2
)

// streams are the input and outputs of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// usageError is a mistake in the command line: nothing was done.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitStatus is returned by commands that have already reported the problem.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// errFailed is the general failure.
const errFailed = exitStatus(exitFailed)

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var usage usageError
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "%s: %v\nSee %s --help.\n", command.CommandPath(), err, command.CommandPath()) //nolint:errcheck // no other output
		return exitUsage
	}
	fmt.Fprintf(s.err, "%s: %v\n", command.CommandPath(), err) //nolint:errcheck // no other output
	return exitFailed
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "taskerotel",
		Short: "Send Tasker's events to a collector, look at tasks, export metrics",
		Long: `taskerotel sends files of Tasker's lifecycle events to an otelcol-tasker collector, shows the tasks that such files
describe as waterfalls in the terminal, and exports the metrics of collectors as one file.

Exit status: 0 on success, 1 on failure, 2 for a mistake in the command line. Commands that a
scheduler runs have more, which their help lists.`,
		Example: `  taskerotel send events.ndjson
  taskerotel tree events.ndjson --task 42
  taskerotel ids --service shop 42
  taskerotel export --format csv --output metrics.csv`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			meant := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				meant = "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usageError{fmt.Errorf("unknown command %q%s", args[0], meant)}
		},
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:              true,
		SilenceUsage:               true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.Version = buildversion.Read().Version
	root.SetVersionTemplate(versionLine())
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 120"))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newSend(s), newTree(s), newTasks(s), newSimulate(s), newIDs(s), newRoutes(s), newExport(s), newCheck(s), newStatus(s), newSync(s), newVersion(s), newDemo(s), newMan())
	return root
}

// someFiles requires at least one file.
func someFiles(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("pass at least one file, or %s for standard input", eventfile.Stdin)}
	}
	stdins := 0
	for _, arg := range args {
		if arg == eventfile.Stdin {
			stdins++
		}
	}
	if stdins > 1 {
		return usageError{fmt.Errorf("%s, standard input, can be read only once", eventfile.Stdin)}
	}
	return nil
}

// noArguments rejects arguments.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
