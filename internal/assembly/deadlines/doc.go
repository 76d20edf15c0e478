// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadlines holds the two orders in which open tasks are kept: a [Wheel] finds those that are due, and a [Line] the one that
// has been idle longest. No operation costs more with more values.
//
// Both link values by fields that the values hold, so that they allocate nothing. They serve one goroutine, which owns the values too.
package deadlines
