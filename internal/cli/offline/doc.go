// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package offline assembles the tasks of event files without a collector, with the code that the collector runs: items are
// decoded by the receiver's decoder and observed by span_hierarchy's assembler. What it leaves out is what a pipeline's
// configuration decides: routes, sampling and redaction. So it shows every event, and every payload as it is.
package offline
