// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package rowfile keeps rows in a CSV file in one of two ways: as a snapshot, which is replaced as a whole, or by
// appending, with rotation. Neither leaves half a row where a reader can take it for a whole one, however the process ends.
//
// Rotation is own code. Libraries for log files rotate between any two writes, know no header, do not undo a write that failed,
// and print it when an old file cannot be removed; what remains for one is to rename a file and to list old ones.
//
// A file is not safe for concurrent use; its owner holds a lock around each call.
package rowfile

//go:generate go tool schemagen -m package
