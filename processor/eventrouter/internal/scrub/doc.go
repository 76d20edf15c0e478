// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrub removes secrets from events, and parts that are too large.
//
// In this order, for each attribute: a bulky or personal payload key is left out, unless it is listed; the value under a sensitive
// key is masked, at any depth; SQL literals are removed; backtraces, long texts and large structures are cut. The body of a record
// is treated like an attribute, or, if it is a map, like attributes.
//
// A [Scrubber] is immutable and may be used concurrently; a [Pass] serves one goroutine.
package scrub
