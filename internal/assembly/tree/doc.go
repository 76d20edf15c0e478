// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package tree makes the spans of a task's runs: a [Tree] of an ended run, or the settled spans of one that is still open. It finds the
// critical path, gives late events their place, and keeps what has been emitted of an open run, so that nothing is emitted twice and
// every span has its parent.
//
// A [Composer] and a [Task] belong to one assembler, whose owner serializes all calls. A Tree that a Composer makes is valid until it
// makes the next; [Tree.Clone] copies it.
package tree
