// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// entry is what tasks and steps have in common.
type entry struct {
	times
	// heard is the running time of the latest event, and saved the value of heard that was last written.
	heard, saved int64
	// complete is true if no later event can improve the labels of the gauge.
	complete bool
	// gauge counts the task or step while it is open.
	gauge series.Gauge
}

// count makes another gauge count the entry.
func (e *entry) count(gauge series.Gauge, now series.Instant) {
	if gauge != e.gauge {
		gauge.Move(1, now)
		e.gauge.Move(-1, now)
		e.gauge = gauge
	}
}

// kept returns the stored form.
func (e *entry) kept(trace [16]byte) records.Active {
	return records.Active{Trace: trace, Times: records.ActiveTimes(e.times), Heard: e.heard, Complete: e.complete, Gauge: e.gauge.ID()}
}

// restore is the reverse of kept, without the gauge.
func (e *entry) restore(kept *records.Active) {
	e.times, e.heard, e.saved, e.complete = kept.Times, kept.Heard, kept.Heard, kept.Complete
}
