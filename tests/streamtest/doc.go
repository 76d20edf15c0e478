// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package streamtest gives tests streams of Tasker events together with the truth that the collector must recover from
// them, and compares what it made with that truth.
//
// There are two kinds of streams. Those in testdata/*.ndjson and from [Generate] come from a model of the engine (internal/cli/engine): same
// events, payload keys, order and repetitions as docs/tasker-events.md says, with an exact truth in nanoseconds. Those in
// testdata/real were captured from the real engine; their truth was measured around the engine's own calls, so it gives
// exact numbers and outcomes, but times only within the engine's gaps.
//
// A stream's lines are items of the plain wire form, in the order in which they happened. The files in disorder.go
// and convert.go turn them into what networks and senders make of them.
package streamtest
