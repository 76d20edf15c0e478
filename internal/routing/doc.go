// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package routing decides what becomes of an event: which signals, at which sampling rate, with which priority.
//
// The operator's routes are layered over the built-in map of package lifecycle: a route replaces the built-in one of the
// same name and inherits the settings it leaves out. Of all routes that match a name the most specific one decides: an
// exact name before a glob, then the glob with more literal characters, then the later one. The operator's "task.*"
// therefore does not change the built-in "task.completed".
//
// A [Table] is immutable and may be used concurrently.
package routing

//go:generate go tool -modfile=../../tools/go.mod schemagen -m package
