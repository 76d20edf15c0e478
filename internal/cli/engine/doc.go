// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is a model of a Tasker engine: it fires the events that one fires, with the payload keys, order and
// repetitions that docs/tasker-events.md describes, and knows the truth of each task in nanoseconds. Tests compare what is
// made of its streams with that truth; `taskerotel demo` plays an endless one.
package engine
