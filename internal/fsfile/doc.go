// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package fsfile handles files for every component that writes some: [Atomic] replaces a file as a whole, [TakeLock] lets one
// process at a time use a file, and [Open] opens regular files only. In a directory that others may write, a path can be
// replaced: a symbolic link would redirect a write to another owner's file, and a pipe would block the process.
//
// The formats of file_storage are in boltfile and writeahead.
package fsfile
