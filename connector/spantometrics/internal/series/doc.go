// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package series holds the connector's aggregated values: for each application and metric a bounded set of series. Values
// are integers, so that counts and sums are exact in any order.
//
// It does not depend on pdata. Times are Unix nanoseconds of the caller's clock. Retained strings are cloned, so that
// callers may reuse their memory.
//
// A Registry owns its series and has one mutex. Its methods are safe for concurrent use; a Writer holds the mutex from
// Registry.Begin to Writer.End.
package series
