// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package history reads the history of a task from its events: its runs, and in them the passes, batches and attempts, the waits
// between them, and what is missing of them. It makes no spans; package tree does, and enters their ids here.
//
// A history is a function of the events. They are sorted by the time at which they happened and read from front to back. Where
// clocks have seconds only and events are out of order, they are put in an order in which the engine can have fired them.
//
// What is over in the first part of the events is the same in all of them. So a [Reader] can also read the events up to the frontier,
// before which everything has arrived, and find what is settled there; and continue from a [Checkpoint], which replaces the first
// events.
//
// A [Source] and a Reader belong to one assembler, whose owner serializes all calls. What a Reader finds is valid until it loads the
// next task.
package history
