// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconfig

import "slices"

// Types that can read log records with batches of events, or need not read them because they change resources only: event_router makes
// records of the events of an application that was renamed.
var (
	batchProcessors = []string{
		"event_router", "memory_limiter", "resource", "resource_detection", "resourcedetection", "k8s_attributes", "k8sattributes",
	}
	batchExporters = []string{"routed_events", "span_to_metrics"}
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
