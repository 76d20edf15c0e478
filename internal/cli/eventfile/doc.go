// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventfile reads files of events item by item: NDJSON, JSON arrays, JSON objects over several lines, plain or
// gzip. It finds where items begin and end, without parsing them, and keeps the line of each, so that a refused item can be
// reported with its line.
//
// Memory is bounded by the largest item, never by the file or the length of its lines.
//
// A Reader and a Source own the files that they read, and serve one goroutine.
package eventfile
