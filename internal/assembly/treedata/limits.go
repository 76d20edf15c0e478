// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
)

// DefaultLimits returns the limits of span_hierarchy's default configuration, for all shards together.
func DefaultLimits() assembly.Limits {
	return assembly.Limits{
		OpenTasks:     100_000,
		HeldBytes:     512 << 20,
		EventsPerTask: 20_000,
		SpansPerTree:  10_000,
		BytesPerTree:  16 << 20,
		ReorderWindow: 2 * time.Second,
		SettleTimeout: 30 * time.Second,
		IdleTimeout:   24 * time.Hour,
		Remembered:    100_000,
		Finished:      10_000,
	}
}
