// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package series keeps the numbers of the connector: for each application and metric a bounded set of series, counted in
// integers, so that counts and sums are exact whatever the order in which values come.
//
// It knows no pdata. Times are Unix nanoseconds of the caller's clock. Strings that are kept are cloned, so a caller may
// pass strings whose memory it will reuse.
//
// A Registry owns its series and has one mutex. Its methods may be called concurrently; a Writer holds the mutex from
// Registry.Begin to Writer.End.
package series
