// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package assembly builds the tree of a Tasker task from its lifecycle events. It is plain Go: events and a clock in,
// trees of spans out. It knows no pdata, starts no goroutine and reads no clock of its own.
//
// Three ideas carry it:
//
//   - A task is a set of events. While it is open, events are collected, each at most once, in whatever order they
//     arrive. [Assembler] owns the open tasks, their limits and their deadlines (assembler.go, deadlines.go).
//   - A tree is a function of that set. The events are sorted by the time at which they happened (order.go) and read from
//     front to back (runs.go, history.go). That yields runs, passes, batches and attempts (model.go), and what is missing of
//     them (gaps.go). They become spans (tree.go, levels.go, asides.go, notes.go). Arrival order, repetition and interleaving
//     can not change the result, because the function never sees them.
//   - What is over in the first part of the events is the same in all of them. So spans are emitted while their task goes on:
//     the same function reads the events up to the frontier, before which everything has come (frontier.go), finds what is
//     settled in them (settled.go), and what is not out yet is emitted (parts.go, emitted.go). What is out is forgotten but
//     for a checkpoint, from which reading goes on (checkpoint.go); of tasks that wait it is packed (asleep.go).
//
// What remains of a released task is enough to number and link a rerun, and to recognise what comes late. For
// a while it is kept whole, because a late query or backoff is a span of its own (finished.go). Checkpoints and released tasks survive
// the process as their owner stores them (restore.go, stored.go).
package assembly
