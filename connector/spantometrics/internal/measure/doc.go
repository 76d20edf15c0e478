// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package measure takes batches of spans and events apart, skips what is not to be measured, and runs the plan of each
// remaining item: spans.go for finished spans, events.go for events, of which activity.go also derives which tasks and
// steps are open. Events come from records, event spans, or batches in either (carried.go), which are read without making records
// of their events.
//
// The connector's instance owns a Recorder. Its methods may be called concurrently: each holds the mutex of the state's
// series for the whole batch. Consumed data is not changed, and not retained.
package measure
