// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/check"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

func newCheck(s streams) *cobra.Command {
	var (
		files  []string
		asJSON bool
		strict bool
	)
	cmd := &cobra.Command{
		Use:   "check --config FILE…",
		Short: "Find mistakes in a collector's configuration that concern several components",
		Long: `check reads a collector's configuration as the collector does, several files merged in order and ${env:NAME}
expanded, and reports mistakes that concern several components: a missing storage or authenticator, totals that
expire before they are read, acknowledged data that a crash loses, receivers that are open to everyone. It
starts nothing.

It complements otelcol-tasker validate, which checks each component's settings, but does not create extensions.

Exit status: 0 when there is no error, 1 when there is one (with --strict: or a warning) or the configuration can not be
read, 2 for a mistake in the command line.`,
		Example: `  otelcol-tasker validate --config config.yaml && taskerotel check --config config.yaml
  taskerotel check --config standalone.yaml --config secure.yaml --strict
  taskerotel check --config config.yaml --json | jq -r '.findings[] | .key'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usageError{fmt.Errorf("pass the collector's configuration with --config")}
			}
			conf, err := collectorconfig.Load(cmd.Context(), files)
			if err != nil {
				return err
			}
			findings, err := check.Check(conf)
			if err != nil {
				return err
			}
			result := checkResult{Findings: findings}
			if result.Findings == nil {
				result.Findings = []check.Finding{}
			}
			for _, f := range findings {
				if f.Level == check.LevelError {
					result.Errors++
				} else {
					result.Warnings++
				}
			}
			if err := writeEither(s.out, asJSON, result, result.write); err != nil {
				return err
			}
			if result.Errors > 0 || strict && result.Warnings > 0 {
				return errFailed
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&files, "config", nil, "the collector's configuration `file`; may be repeated, later ones are merged over earlier ones")
	flags.BoolVar(&strict, "strict", false, "exit with status 1 for warnings too")
	flags.BoolVar(&asJSON, "json", false, "write one JSON object")
	return cmd
}

// checkResult is the output of check.
type checkResult struct {
	Errors   int             `json:"errors"`
	Warnings int             `json:"warnings"`
	Findings []check.Finding `json:"findings"`
}

func (r checkResult) write(w io.Writer) error {
	var text strings.Builder
	for _, f := range r.Findings {
		value := "is not set"
		if f.Value != "" {
			value = fmt.Sprintf("is %q", f.Value)
		}
		fmt.Fprintf(&text, "%-7s  %s %s\n         %s\n         → %s\n", f.Level, f.Key, value, f.Problem, f.Remedy)
	}
	fmt.Fprintf(&text, "%s, %s\n", treeview.Count(int64(r.Errors), "error"), treeview.Count(int64(r.Warnings), "warning"))
	_, err := io.WriteString(w, text.String())
	return err
}
