// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package event has the lifecycle events of Tasker tasks as they are read from their wire form, and the events of an open task as
// they are kept in memory.
//
// An [Event] means a [Kind]. Of each event of an open task a [Record] is kept, packed, in the [Set] of the task's events. What equal
// tasks have in common is kept once, in [Shared].
//
// A Set and the Shared that it was filled with belong to one assembler, whose owner serializes all calls. A [Resource], a [Shape],
// a [Detail] and a [Failure] are immutable once they are in a set.
package event
