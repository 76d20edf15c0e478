// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../../../tools/go.mod schemagen

// Package declaration defines what a metric is: its form in the configuration, the built-in metrics, which builtin.yaml
// declares in the same form, and the effective metrics of a configuration with their definitions for the registry.
//
// It has no state. Configurations belong to the caller and are only read, so that its functions may be called concurrently.
package declaration
