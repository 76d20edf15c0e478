// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconfig

import "slices"

// Types that can read log records with batches of events, or need not read them.
var (
	batchProcessors = []string{"event_router", "memory_limiter"}
	batchExporters  = []string{"routed_events", "span_to_metrics"}
)

// NotReadingBatches returns the IDs of a pipeline's processors and exporters that cannot read batches of events.
func (c *Config) NotReadingBatches(p *Pipeline) []string {
	var found []string
	for _, id := range p.Processors {
		if of := c.Component(Processors, id); !slices.Contains(batchProcessors, of.Type) || of.Setting("select") == "others" {
			found = append(found, id)
		}
	}
	for _, id := range p.Exporters {
		if !slices.Contains(batchExporters, c.Component(Exporters, id).Type) {
			found = append(found, id)
		}
	}
	return found
}
