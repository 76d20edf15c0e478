// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package routing decides what becomes of an event: which signals, at which sampling rate, with which priority.
//
// A table is the built-in map of package lifecycle with the operator's routes layered over it: an entry replaces the built-in
// one of the same name and takes from it what it does not say itself. Among all routes that match a name, the most
// specific decides, whoever wrote it: an exact name before a glob, a glob with more literal characters before one with
// fewer, and of equals the later. So the operator's "task.*" does not touch the built-in "task.completed".
package routing

//go:generate go tool schemagen -m package
