// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package active maintains the sets of open tasks and steps, those that began and have not ended. Unlike a sum of
// increments and decrements, the size of a set recovers from repeated, lost and late events.
//
// A task or step stores the time of its latest event of each kind, and its state is a function of these times. Events may
// therefore arrive in any order and repeatedly.
//
// The state of an instance owns a Tracker. It is not safe for concurrent use: the mutex of the series guards it.
package active
