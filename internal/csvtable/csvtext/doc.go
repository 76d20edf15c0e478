// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package csvtext writes the cells of CSV files: texts that a spreadsheet does not run, numbers and times.
//
// It has no state.
package csvtext

//go:generate go tool schemagen -m package
