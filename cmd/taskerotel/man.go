// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/tasker-otel/otelcol-tasker/cmd/internal/buildversion"
)

// newMan creates a hidden command for building packages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIRECTORY",
		Short:   "Write the man pages of all commands",
		Long:    "man writes a page of section 1 for each command into the directory, which is created if it does not exist.",
		Example: "  taskerotel man /usr/local/share/man/man1",
		Hidden:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("pass one directory")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // man reads it as anybody
				return err
			}
			build := buildversion.Read()
			root := cmd.Root()
			root.DisableAutoGenTag = true // reproducible pages
			header := &doc.GenManHeader{Section: "1", Source: "otelcol-tasker " + build.Version, Manual: "otelcol-tasker"}
			if date, err := time.Parse(time.RFC3339, build.Date); err == nil {
				header.Date = &date
			}
			return doc.GenManTree(root, header, args[0])
		},
	}
}
