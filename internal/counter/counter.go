// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package counter adds to the counters of the components' internal telemetry. Its functions may be called concurrently.
package counter

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Attributes are the attributes of a value. They are created once and immutable: a slice of options that is created for a call is
// allocated, also when nothing is added.
type Attributes []metric.AddOption

// With creates attributes from alternating keys and values.
func With(pairs ...string) Attributes {
	var attrs []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		attrs = append(attrs, attribute.String(pairs[i], pairs[i+1]))
	}
	return Attributes{metric.WithAttributeSet(attribute.NewSet(attrs...))}
}

// Add adds to a counter with attributes, which may be nil. It leaves out zeros, so that only what occurs becomes a series.
func Add[N int | int64](ctx context.Context, to metric.Int64Counter, n N, attributes Attributes) {
	if n > 0 {
		to.Add(ctx, int64(n), attributes...)
	}
}
