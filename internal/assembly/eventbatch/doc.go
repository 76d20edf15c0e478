// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventbatch is the form in which routed_events hands events to span_hierarchy inside a process: the fields that trees
// need, one event after the other, in one string. Building a span for each of them, with a list of attributes, costs several
// times as much. Nothing of it is stored: what is stored has a form that other versions can read (the records of span_hierarchy).
//
// A [Writer] and a [Reader] belong to one goroutine.
package eventbatch
