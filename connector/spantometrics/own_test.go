// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"strings"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// ownPoints returns the points of a metric of the connector's internal telemetry by attribute values.
func ownPoints(metric metricdata.Metrics) map[string]int64 {
	var points []metricdata.DataPoint[int64]
	switch data := metric.Data.(type) {
	case metricdata.Sum[int64]:
		points = data.DataPoints
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	}
	values := map[string]int64{}
	for _, dp := range points {
		var labels []string
		for _, attribute := range dp.Attributes.ToSlice() {
			labels = append(labels, attribute.Value.AsString())
		}
		values[strings.Join(labels, " ")] = dp.Value
	}
	return values
}
