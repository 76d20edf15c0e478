// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package export reads the metrics of collectors and writes them as one file: what a scheduler runs every few minutes.
//
// The state between two exports is the file OUTPUT.state, which belongs to the process that holds OUTPUT.lock.
package export
