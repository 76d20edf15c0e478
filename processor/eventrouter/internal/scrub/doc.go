// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrub takes out of an event what nobody should see and what is too large to keep.
//
// In this order, for each attribute: a bulky or personal payload key is left out, unless it is listed; the value under a
// sensitive key is masked, at any depth; SQL loses its literals; backtraces, long texts and large structures are cut. The
// body of a record is treated like an attribute, or, if it is a map, like attributes.
package scrub
