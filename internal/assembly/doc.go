// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package assembly builds the span trees of Tasker tasks from their lifecycle events. It is plain Go: events and a clock in,
// spans out. It knows no pdata, starts no goroutine and reads no clock of its own.
//
// An [Assembler] owns the open tasks of one shard. Its owner serializes all calls: nothing here may be called concurrently,
// except on a [Snapshot], which is a copy, and on an [event.Resource], which is immutable. A [Tree] belongs to the assembler and
// is valid until the sink returns; [Tree.Clone] copies it.
//
// Three principles:
//
//   - A task is a set of events. While it is open, events are collected, each at most once, in whatever order they arrive.
//   - A tree is a function of that set. The events are sorted by the time at which they happened and read from front to back.
//     That yields runs, passes, batches and attempts, and what is missing of them, which become spans. Arrival order, repetition
//     and interleaving cannot change the result, because the function does not see them.
//   - What is over in the first part of the events is the same in all of them. So spans are emitted while their task is open: the
//     same function reads the events up to the frontier, before which everything has arrived, and emits the spans that are settled
//     there and were not emitted before. The records of emitted spans are replaced by a checkpoint, from which reading continues.
//
// Each open task has a due time. To check a task is to decide, at that time, whether it is released, some of its
// spans are emitted, or it keeps waiting. A task that waits long is asleep: its emission is kept encoded.
//
// To follow why a span is emitted, read in this order:
//
//  1. Events and deadlines: package event (what an event means, and how it is held), task.go and asleep.go (an open task),
//     assembler.go (limits and releases), waits.go and package deadlines (when a task is checked).
//  2. History, from events to passes, batches and attempts: package history. There order.go and rebuild.go (sorting), runs.go (where a
//     run ends), reader.go and model.go (the reader and what it finds), gap.go and gaps.go (what is missing), settled.go and
//     frontier.go (which spans are final while the task is open), checkpoint.go (what replaces records).
//  3. Emission while a task is still open: parts.go (one check of a task), emission.go and package emitted (what has been emitted),
//     checkpoint.go (what the spans need of replaced records).
//  4. Spans: tree.go (the composer), identify.go (ids), levels.go and asides.go (the spans of each kind), span_events.go and
//     around.go (span events), criticalpath.go and package critical (the critical path), room.go (limits of a tree), span.go and
//     attribute.go (the result).
//  5. After a release: released.go (what a rerun needs), finished.go (queries and backoffs that arrive late).
//  6. Storage: restore.go (what the owner stores and replays), stored.go, t_stored.go, stored_checkpoint.go and package values (its encoding).
//  7. Live pages: opentask.go, search.go, snapshot.go, clone.go.
package assembly
