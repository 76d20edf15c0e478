// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package offline assembles the tasks of event files without a collector, with the receiver's decoder and span_hierarchy's
// assembler. It applies no routes, sampling or redaction, which depend on a pipeline's configuration, and therefore shows
// every event with its complete payload.
//
// A run belongs to one goroutine; runs share nothing.
package offline
