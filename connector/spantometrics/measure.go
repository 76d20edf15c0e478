// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// run applies a plan whose fields were read.
func (r *recorder) run(p *plan) {
	labelled := -1
	for i := range p.measures {
		m := &p.measures[i]
		if !r.measured.anyHolds(m.cases) {
			continue
		}
		value, ok := r.quantity(m)
		if !ok {
			continue
		}
		if m.labels != labelled {
			r.label(p.labels[m.labels])
			labelled = m.labels
		}
		switch m.kind {
		case series.KindSum:
			r.writer.Add(m.metric, uint64(value))
		case series.KindLast:
			r.writer.Set(m.metric, value, r.measured.at)
		default:
			exemplar := r.exemplar()
			exemplar.Value = value
			r.writer.Observe(m.metric, exemplar)
		}
	}
}

// quantity returns what a measure adds. ok is false if the item has no value, or an invalid one, which is counted as
// skipped.
func (r *recorder) quantity(m *measure) (value int64, ok bool) {
	switch m.takes {
	case takesNothing:
		return 1, true
	case takesDuration:
		value, ok = r.measured.took, r.measured.took >= 0
	default:
		found := r.measured.value(m.field)
		if !found.found() {
			return 0, false
		}
		value, ok = found.scaled(m.factor)
		ok = ok && (value >= 0 || m.kind == series.KindLast)
	}
	if !ok {
		r.tally.skipped[skipInvalidValue]++
	}
	return value, ok
}

// scaled parses a number and multiplies it. It returns false for what is not a number or exceeds 63 bits.
func (v *fieldValue) scaled(factor float64) (int64, bool) {
	number, ok := v.number()
	product := math.Round(number * factor)
	if !ok || !(math.Abs(product) < math.MaxInt64) {
		return 0, false
	}
	return int64(product), true
}
