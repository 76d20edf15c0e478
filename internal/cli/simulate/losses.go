// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/status"
	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// Loss is a counter of what a component refused, dropped or cut.
type Loss = status.Loss

// losses collects the components' own counters, more than once, because a counter can end with its component. Counters never
// decrease.
type losses struct {
	found map[string]Loss
}

func newLosses() *losses { return &losses{map[string]Loss{}} }

// collect reads the counters.
func (l *losses) collect(ctx context.Context, reader sdkmetric.Reader) {
	var all metricdata.ResourceMetrics
	if reader.Collect(ctx, &all) != nil {
		return
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			name := ownmetrics.Name(m.Name)
			if !ok || !ownmetrics.IsLoss(name) {
				continue
			}
			for _, p := range sum.DataPoints {
				if p.Value > 0 {
					key := name + p.Attributes.Encoded(attribute.DefaultEncoder())
					l.found[key] = Loss{Metric: name, Labels: labelsOf(p.Attributes), Count: max(p.Value, l.found[key].Count)}
				}
			}
		}
	}
}

func labelsOf(set attribute.Set) map[string]string {
	labels := map[string]string{}
	for _, kv := range set.ToSlice() {
		labels[string(kv.Key)] = kv.Value.String()
	}
	return labels
}

// rowOf returns a loss as a row of a table.
func rowOf(loss Loss) map[string]string {
	row := map[string]string{"metric": loss.Metric, "value": strconv.FormatInt(loss.Count, 10)}
	maps.Copy(row, loss.Labels)
	return row
}

func (l *losses) list() []Loss {
	list := []Loss{}
	for _, key := range slices.Sorted(maps.Keys(l.found)) {
		list = append(list, l.found[key])
	}
	slices.SortStableFunc(list, func(a, b Loss) int { return cmp.Compare(a.Metric, b.Metric) })
	return list
}
