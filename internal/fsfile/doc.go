// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package fsfile handles files for every component that writes some: [Atomic] replaces a file as a whole, [TakeLock] lets one
// process at a time use a file, and [Open] opens regular files only. In a directory that others may write, a path can be
// replaced: a symbolic link would redirect a write to another owner's file, and a pipe would block the process.
//
// The formats of file_storage are in boltfile and writeahead.
//
// Only a lock is state, which its process owns until it ends. Writers of one file take its lock; files are not written concurrently.
package fsfile
