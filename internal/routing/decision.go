// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reason is why an event is dropped; empty if it is not.
type Reason string

const (
	// ReasonNone means that the event is not dropped.
	ReasonNone Reason = ""
	// ReasonNoRoute means that no route matches and default_signals is empty.
	ReasonNoRoute Reason = "no_route"
	// ReasonDisabled means that the route has enabled: false.
	ReasonDisabled Reason = "disabled"
	// ReasonFiltered means that filtered_events matches.
	ReasonFiltered Reason = "filtered"
	// ReasonSampled means that the task is not sampled and the event is not for metrics.
	ReasonSampled Reason = "sampled"
)

// Decision is what the table prescribes for events of one name.
type Decision struct {
	// Signals before sampling; none if the event is dropped.
	Signals  lifecycle.Signals
	Priority lifecycle.Priority
	// Reason is ReasonNone unless the event is dropped.
	Reason Reason
	// Route is the pattern of the route or filter that decided; empty for the default.
	Route string
	// Place is where that route or filter is configured: routes[2], filtered_events[0], default_signals, or "built in".
	Place string
	// SamplingRate is the product of the route's rate and the table's.
	SamplingRate float64

	// threshold is SamplingRate on the scale of Randomness.
	threshold uint64
}

// randomBits is the number of random bits of a trace ID, as in W3C Trace Context Level 2 and OpenTelemetry's consistent
// sampling.
const randomBits = 56

// Randomness returns the last 56 bits of a trace ID. All events of a task share them, so a rate keeps or drops a task as a
// whole, and a higher rate keeps every task that a lower one keeps.
func Randomness(trace pcommon.TraceID) uint64 {
	return RandomnessOf(binary.BigEndian.Uint64(trace[8:]))
}

// RandomnessOf returns the randomness of an event without a trace, from a hash of the event.
func RandomnessOf(hash uint64) uint64 { return hash & (1<<randomBits - 1) }

// Sample returns the signals that remain for a random value. Metrics are not sampled.
func (d *Decision) Sample(randomness uint64) lifecycle.Signals {
	if randomness >= d.threshold {
		return d.Signals
	}
	return d.Signals & lifecycle.SignalMetrics
}

// threshold returns the lowest randomness that is kept: 0 at rate 1, beyond all values at rate 0.
func threshold(rate float64) uint64 {
	return uint64((1 - rate) * (1 << randomBits))
}
