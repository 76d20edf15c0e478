// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reason says why an event is dropped. It is empty for an event that is kept.
type Reason string

const (
	// ReasonNone is that of an event that is kept.
	ReasonNone Reason = ""
	// ReasonNoRoute is that of an event that no route names, while there are no default signals.
	ReasonNoRoute Reason = "no_route"
	// ReasonDisabled is that of an event whose route is not enabled.
	ReasonDisabled Reason = "disabled"
	// ReasonFiltered is that of an event that filtered_events names.
	ReasonFiltered Reason = "filtered"
	// ReasonSampled is that of an event that was for traces or logs only, and whose task is not in the sample.
	ReasonSampled Reason = "sampled"
)

// Decision is what becomes of the events of one name.
type Decision struct {
	// Signals before sampling; none if the event is dropped.
	Signals  lifecycle.Signals
	Priority lifecycle.Priority
	// Reason is ReasonNone unless the event is dropped.
	Reason Reason
	// Route is the event or glob of the route or filter that decided, empty for the default.
	Route string
	// Place is where that is written: routes[2], filtered_events[0], default_signals, or "built in".
	Place string
	// SamplingRate is the route's rate times that of the table.
	SamplingRate float64

	// threshold is the rate in the terms of Randomness.
	threshold uint64
}

// randomBits is how many bits of a trace id are random, by the W3C and OpenTelemetry's consistent sampling.
const randomBits = 56

// Randomness is the random value of a trace: its last 56 bits. All events of a task have the same, so one rate takes or
// leaves them together, and what a low rate takes, a higher one takes too.
func Randomness(trace pcommon.TraceID) uint64 {
	return RandomnessOf(binary.BigEndian.Uint64(trace[8:]))
}

// RandomnessOf is the random value of an event without a trace, from a hash of it.
func RandomnessOf(hash uint64) uint64 { return hash & (1<<randomBits - 1) }

// Sample is what is left of the signals for a random value. Metrics always see every event.
func (d *Decision) Sample(randomness uint64) lifecycle.Signals {
	if randomness >= d.threshold {
		return d.Signals
	}
	return d.Signals & lifecycle.SignalMetrics
}

// threshold is the random value from which on events are kept: all at rate 1, none at rate 0.
func threshold(rate float64) uint64 {
	return uint64((1 - rate) * (1 << randomBits))
}
