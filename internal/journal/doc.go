// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package journal keeps the state of a component on a storage extension, so that what was acknowledged survives the end of the
// process at any moment.
//
// A journal is a sequence of entries, whose meaning is the component's own. They are appended in order ([Journal.Append]) and made
// durable together ([Journal.Commit]): requests that commit at one time share one write. At the start they are read back in the
// same order ([Journal.Replay]). What the state no longer needs is taken out by [Journal.Compact], entry by entry, or at once by
// [Journal.Checkpoint], which puts a snapshot in place of everything before it.
//
// Durable means: handed to the storage extension. With file_storage that survives kill -9 always, and the loss of the machine's
// power with its setting fsync.
package journal
