// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package export reads the metrics of collectors and writes them as one file: what a scheduler runs every few minutes.
package export
