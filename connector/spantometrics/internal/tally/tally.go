// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package tally counts what became of the items of a batch: what was measured, what was skipped and which label values were
// replaced, by reason. The connector's internal telemetry reports it.
//
// A Batch belongs to who measures the batch, and must not be used concurrently.
package tally

// SkipReason is the reason why an item was not measured.
type SkipReason int

// Reasons to skip an item.
const (
	Incomplete SkipReason = iota
	Synthesized
	NotTasker
	EventSpan
	NotRouted
	InvalidValue
	Duplicate
	TooOld
	Received
	Malformed
	SkipReasons
)

func (r SkipReason) String() string {
	return [SkipReasons]string{"incomplete", "synthesized", "not_tasker", "event_span", "not_routed", "invalid_value", "duplicate", "too_old", "received", "malformed"}[r]
}

// ReplacedReason is the reason why a label's value was replaced.
type ReplacedReason int

// Reasons to replace a label's value.
const (
	ID ReplacedReason = iota
	TooLong
	NotUTF8
	ReplacedReasons
)

func (r ReplacedReason) String() string {
	return [ReplacedReasons]string{"id", "too_long", "not_utf8"}[r]
}

// Batch counts the outcomes of a batch.
type Batch struct {
	Spans, Events int64
	Skipped       [SkipReasons]int64
	// Replaced counts label values that were replaced or cut.
	Replaced [ReplacedReasons]int64
}
