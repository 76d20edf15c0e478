// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package promset reads, merges and writes sets of Prometheus metrics: input in the text format and OpenMetrics, one set
// merged from those of several collectors, and output as text, OpenMetrics, JSON or CSV.
//
// Both formats are read by Prometheus' textparse and written by expfmt. Families have client_model's types in one normal
// form: counter names end with _total, series are unique, labels are sorted and not empty, buckets are sorted by bound.
//
// The functions have no state; the caller owns the sets.
package promset
