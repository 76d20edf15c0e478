// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
)

// Output is where the values of a batch are recorded and its outcomes are counted.
type Output struct {
	Writer series.Writer
	Tally  tally.Batch
}

// Run measures the item, which began with this plan.
func (p *Plan) Run(item *Item, out *Output) {
	labelled := -1
	for i := range p.measures {
		m := &p.measures[i]
		if !anyHolds(m.cases, item) {
			continue
		}
		value, ok := m.quantity(item, &out.Tally)
		if !ok {
			continue
		}
		if m.labels != labelled {
			out.label(p.labels[m.labels], item)
			labelled = m.labels
		}
		switch m.kind {
		case series.KindSum:
			out.Writer.Add(m.metric, uint64(value))
		case series.KindLast:
			out.Writer.Set(m.metric, value, item.at)
		default:
			if out.Writer.Observe(m.metric, value) {
				exemplar := item.exemplar.get(&item.attrs)
				exemplar.Value = value
				out.Writer.Exemplify(&exemplar)
			}
		}
	}
}

// quantity returns what a measure adds. ok is false if the item has no value, or an invalid one, which is counted as
// skipped.
func (m *measure) quantity(item *Item, counts *tally.Batch) (value int64, ok bool) {
	switch m.takes {
	case takesNothing:
		return 1, true
	case takesDuration:
		value, ok = item.took, item.took >= 0
	default:
		found := item.value(m.field)
		if !found.found() {
			return 0, false
		}
		value, ok = found.scaled(m.factor)
		ok = ok && (value >= 0 || m.kind == series.KindLast)
	}
	if !ok {
		counts.Skipped[tally.InvalidValue]++
	}
	return value, ok
}
