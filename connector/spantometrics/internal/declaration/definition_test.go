// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

func TestDefinitionsAreWhole(t *testing.T) {
	names := map[string]bool{}
	cfg := &Config{Histogram: DefaultHistogram()}
	for _, d := range Definitions(cfg, Metrics(cfg)) {
		require.NotEmpty(t, d.Name)
		require.NotEmpty(t, d.Unit)
		require.NotEmpty(t, d.Description)
		require.False(t, names[d.Name], d.Name)
		names[d.Name] = true
		require.Equal(t, d.Kind == series.KindHistogram, d.Bounds != nil)
		require.True(t, slices.IsSorted(d.Bounds))
	}
}
