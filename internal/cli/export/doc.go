// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package export scrapes the metrics of collectors and writes them to one file. It is run periodically by a scheduler.
//
// The state between two exports is in the file OUTPUT.state, which belongs to the process that holds OUTPUT.lock.
package export
