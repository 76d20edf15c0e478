// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package rowfile writes rows to a CSV file, either as a snapshot, which is replaced as a whole, or by appending, with
// rotation. Neither leaves an incomplete row that a reader could take for a complete one, however the process ends.
//
// It implements rotation itself because libraries for log files rotate between any two writes, have no header, do not
// revert a failed write, and print an error if a rotated file cannot be removed. What remains for a library is to rename a
// file and to list rotated ones.
//
// A file is not safe for concurrent use; its owner holds a lock around each call.
package rowfile

//go:generate go tool -modfile=../../../../tools/go.mod schemagen -m package
