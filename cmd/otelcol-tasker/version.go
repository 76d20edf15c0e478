// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/tasker-otel/otelcol-tasker/cmd/internal/buildversion"
)

// scripts/generate-collector.sh has the generated main.go and components.go call these, where the builder writes
// constants.

// version returns that of the collector, in its telemetry and in its requests.
func version() string { return buildversion.Read().Version }

// ownModule returns the module of the components of this repository, as the command components prints it.
func ownModule() string { return "github.com/tasker-otel/otelcol-tasker v" + version() }

// newCommand returns the collector's command line, whose --version also names commit and date.
func newCommand(settings otelcol.CollectorSettings) *cobra.Command {
	command := otelcol.NewCommand(settings)
	command.Version = buildversion.Read().Line()
	command.SetVersionTemplate("{{.DisplayName}} {{.Version}}\n")
	return command
}
