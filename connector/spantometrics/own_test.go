package spantometrics

import (
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// ownPoints reads the points of one of the connector's own metrics, by the value of their one attribute.
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
		label := ""
		for _, attribute := range dp.Attributes.ToSlice() {
			label = attribute.Value.AsString()
		}
		values[label] = dp.Value
	}
	return values
}
