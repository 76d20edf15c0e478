// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine simulates a Tasker engine: it fires the engine's events, with the payload keys, order and repetitions
// described in docs/tasker-events.md, and provides the truth of each task in nanoseconds. Tests compare the collector's
// output with that truth; `taskerotel demo` plays an endless stream.
//
// A [Day] is used by one goroutine. Everything else has no state.
package engine
