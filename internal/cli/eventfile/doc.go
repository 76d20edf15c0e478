// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventfile reads event files item by item: NDJSON, JSON arrays and JSON objects over several lines, plain, gzip or
// zstd. It finds the beginning and end of items without parsing them, and keeps the line number of each for reports.
//
// Its memory depends on the largest item only, not on the size of the file or its lines.
//
// A Reader and a Source own their files and are not safe for concurrent use.
package eventfile
