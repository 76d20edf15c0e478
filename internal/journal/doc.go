// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package journal keeps the state of a component on a storage extension, so that what was acknowledged survives the end of the
// process at any moment.
//
// A journal is a sequence of entries, whose content is the component's. They are appended in order ([Journal.Append]) and made
// durable together ([Journal.Commit]): requests that commit at one time share one write. At the start they are read back in the
// same order ([Journal.Replay]). What the state no longer needs is removed by [Journal.Compact], entry by entry, or by
// [Journal.Checkpoint], which replaces everything before it by a snapshot.
//
// Durable means written to the storage extension. With file_storage that survives kill -9, and power loss with its setting fsync.
//
// A [Journal] belongs to one component. Between Replay, which comes first, and Close it may be used concurrently.
package journal
