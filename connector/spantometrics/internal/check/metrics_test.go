// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
)

// The built-in metrics pass the same checks as metrics that an operator declares.
func TestBuiltInMetricsAreDeclarations(t *testing.T) {
	c := &checker{cfg: &declaration.Config{Histogram: declaration.DefaultHistogram()}, taken: map[string]string{}}
	for name, declared := range declaration.BuiltIn() {
		c.declaration(&declaration.Metric{MetricConfig: declared, Name: name})
	}
	require.Empty(t, c.mistakes)
}
