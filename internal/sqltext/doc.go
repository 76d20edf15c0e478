// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package sqltext makes SQL fit to be kept: it removes what may be personal, and finds what a query does and to which
// table. It reads the dialects of PostgreSQL, MySQL and SQLite with one small tokenizer and no grammar. Where dialects
// disagree about what is a literal, it takes the reading that keeps less.
package sqltext
