// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventfile reads files of events item by item: NDJSON, JSON arrays, JSON objects over several lines, plain or
// gzip. It looks at nothing in an item; it finds where items begin and end and remembers the line, so that whoever refuses
// an item can be told where it stands.
//
// Memory is bounded by the largest item, never by the file or the length of its lines.
//
// A Reader and a Source own the files that they read, and serve one goroutine.
package eventfile
