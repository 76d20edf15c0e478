// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package csvtable holds the state of a CSV snapshot, the latest value of every metric series, and renders it as rows and
// columns. It does not depend on pdata, files or a clock.
//
// It adds up deltas itself, so that the exporter accepts them without a processor in front. The code of deltatocumulative
// is internal to that processor, which would hold each series a second time.
//
// A Table is not safe for concurrent use; its owner holds a lock around each call.
package csvtable

//go:generate go tool -modfile=../../tools/go.mod schemagen -m package
