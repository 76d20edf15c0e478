// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package terminal is what the command line needs to write for people: text that cannot play tricks on a terminal, fitted
// to its columns, in colour where that is wanted.
//
// It has no state.
package terminal
