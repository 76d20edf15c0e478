// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package csvtext formats the cells of CSV files: texts that spreadsheets do not evaluate, numbers and times. It has no
// state.
package csvtext

//go:generate go tool -modfile=../../../tools/go.mod schemagen -m package
