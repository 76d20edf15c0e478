// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package assembly builds the span trees of Tasker tasks from their lifecycle events. It is plain Go: events and a clock in,
// spans out. It knows no pdata, starts no goroutine and reads no clock of its own.
//
// An [Assembler] owns the open tasks of one shard. Its owner serializes all calls: nothing here may be called concurrently,
// except on a [Snapshot], which is a copy, and on an [event.Resource], which is immutable. A [tree.Tree] belongs to the
// assembler and is valid until the sink returns; its Clone copies it.
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
// The packages, each of which uses only those before it:
//
//   - attribute: attributes of events and spans.
//   - event: what an event means, and the packed set of the events of an open task.
//   - history: from events to runs, passes, batches and attempts, and what is missing of them.
//   - tree: from a history to spans; what has been emitted of an open run; the critical path.
//   - assembly: the open tasks, their limits, deadlines, releases and storage.
//
// To follow why a span is emitted, read in this order:
//
//  1. Events: in package event kind.go (what an event means), set.go, record.go and packed.go (how the events of a task are kept).
//  2. Open tasks: task.go and asleep.go (how a task is held), assembler.go (what an event and a check do), limits.go, releases.go,
//     waits.go and package deadlines (when a task is checked).
//  3. History: in package history order.go and rebuild.go (sorting), runs.go (where a run ends), model.go (what the reader finds),
//     reader.go, passes.go, batches.go and attempts.go (how it finds it), queue.go (waits), gap.go and gaps.go (what is missing),
//     room.go (limits of a tree).
//  4. Emission while a task is still open: parts.go (one check of a task); in package history frontier.go (up to where everything has
//     arrived), settled.go (which spans are final, and what they wait for) and checkpoint.go (what replaces records); in package tree
//     emission.go and package emitted (what has been emitted), summary.go (what the spans need of replaced records).
//  5. Spans: in package tree composer.go, identify.go (ids), levels.go and asides.go (the spans of each kind), span_events.go and
//     around.go (span events), criticalpath.go and package critical (the critical path), tree.go and span.go (the result).
//  6. After a release: package history's released.go (what a rerun needs), finished.go (queries and backoffs that arrive late).
//  7. Storage: restore.go (what the owner stores and replays); its encoding in stored.go, stored_released.go, package tree's stored.go
//     and stored_checkpoint.go, and package values.
//  8. Live pages: opentask.go, search.go, snapshot.go, package history's missing.go.
//
// Package treedata reads events from pdata and from batches of package internal/eventbatch, and writes trees as pdata.
package assembly
