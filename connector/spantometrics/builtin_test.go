// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
)

// An operator's copy of a built-in metric under another name measures the same.
func TestCopiesOfBuiltInMetrics(t *testing.T) {
	const copied = "copy."
	p := newPair(t, func(cfg *Config) {
		cfg.Metrics = map[string]MetricConfig{}
		for name, declared := range declaration.BuiltIn() {
			if declared.Type != declaration.TypeActive && declared.Type != declaration.TypeOldest {
				cfg.Metrics[copied+name] = declared
			}
		}
	})
	ld, _ := readEvents(t, "planned")
	addPerformance(ld)
	p.consumeLogs(t, ld)
	for _, task := range readTruth(t, "mixed") {
		p.consumeTraces(t, finishedSpans(task, expectations{}))
	}
	p.stop(t)
	for name, declared := range declaration.BuiltIn() {
		if declared.Type == declaration.TypeActive || declared.Type == declaration.TypeOldest {
			continue
		}
		want := read(p.sink.last(), name)
		require.NotEmpty(t, want, name)
		require.Equal(t, want, read(p.sink.last(), copied+name), name)
	}
}
