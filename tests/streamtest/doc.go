// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package streamtest provides streams of Tasker events with the truth that the collector must derive from them, and
// compares the collector's output with that truth.
//
// There are two kinds of streams. Those in testdata/*.ndjson and from [Generate] are simulated (internal/cli/engine), with
// the events, payload keys, order and repetitions of docs/tasker-events.md and an exact truth in nanoseconds. Those in
// testdata/real were captured from the real engine; their truth was measured around the engine's calls, so that numbers and
// outcomes are exact but times are not.
//
// A stream's lines are items of the plain wire format in order of occurrence. The files disorder.go and convert.go
// transform them as networks and senders do.
package streamtest
