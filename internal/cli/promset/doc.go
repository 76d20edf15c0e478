// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package promset reads, merges and writes sets of metrics as Prometheus exposes them: the plain text format and
// OpenMetrics in, one set out of the sets of several collectors, and that as plain text, OpenMetrics, JSON or CSV.
//
// Both formats are read by Prometheus' textparse and written by expfmt. Families are client_model's, in one form whatever
// the format was: a counter's name ends with _total, a series is there once, the labels are sorted and none is empty,
// buckets are sorted by bound.
//
// The functions have no state; a set belongs to the caller.
package promset
