// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// Open is a gauge of open tasks or steps.
type Open struct {
	metric int
	fields fieldSet
	labels []label
	// state is the field of a task's state, and stateLabel its label; negative and empty if excluded.
	state      int
	stateLabel string
}

func newOpen(cfg *declaration.Config, m *declaration.Metric, index int) *Open {
	p := &Open{metric: index, state: -1}
	p.labels = newLabels(cfg, m.Dimensions, &p.fields)
	for i := range m.Dimensions {
		if m.Dimensions[i].IsState() {
			p.state, p.stateLabel = p.labels[i].field, p.labels[i].name
		}
	}
	return p
}

// Gauge returns the gauge with the labels of an event; the zero Gauge if the metric is disabled. complete is false if a
// label without a default is missing.
func (p *Open) Gauge(item *Item, state active.State, out *Output) (gauge series.Gauge, complete bool) {
	if p == nil {
		return series.Gauge{}, true
	}
	item.read(&p.fields)
	if p.state >= 0 {
		item.values[p.state] = value{eventbatch.Text(state.String()), rankText}
	}
	complete = out.label(p.labels, item)
	return out.Writer.Gauge(p.metric), complete
}

// Gauges finds gauges of open tasks that are related to others.
type Gauges struct {
	Set    *Set
	Writer *series.Writer
}

// InState returns the gauge of the same tasks in another state.
func (g Gauges) InState(of series.Gauge, state active.State) series.Gauge {
	tasks := g.Set.Tasks
	if tasks == nil {
		return of
	}
	return g.Writer.GaugeLike(of, tasks.metric, tasks.stateLabel, state.String())
}

// OldestAge returns the gauge of the age of the oldest of these tasks; the zero Gauge if the metric is disabled.
func (g Gauges) OldestAge(of series.Gauge) series.Gauge {
	if g.Set.oldest < 0 {
		return series.Gauge{}
	}
	return g.Writer.GaugeLike(of, g.Set.oldest, "", "")
}
