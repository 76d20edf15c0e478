// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// checkOrder looks for misplaced and missing processors.
func (c *checker) checkOrder() {
	for _, line := range c.conf.Pipelines {
		at := line.Key + "::processors"
		value := "[" + strings.Join(line.Processors, ", ") + "]"
		for i, id := range line.Processors {
			if i > 0 && c.conf.Component(processors, id).Type == "memory_limiter" {
				c.add(LevelWarning, at, value, "memory_limiter refuses data only after the processors before it have allocated memory", "write it first")
			}
		}
		measured := c.conf.Has(exporters, line.Exporters, "span_to_metrics") || c.conf.Has(exporters, line.Exporters, "routed_events")
		if c.conf.Has(receivers, line.Receivers, "tasker_events") && measured && !c.conf.Has(processors, line.Processors, "event_router") {
			c.add(LevelWarning, at, value, "without event_router nothing is redacted, sampled or deduplicated", "add event_router after memory_limiter")
		}
		c.checkMarks(line, at, value)
		for _, sampler := range []string{"probabilistic_sampler", "tail_sampling"} {
			from := slices.IndexFunc(line.Processors, func(id string) bool { return c.conf.Component(processors, id).Type == sampler })
			if from < 0 {
				continue
			}
			after := line.Processors[from:]
			switch {
			case c.conf.Has(processors, after, "span_hierarchy") || c.conf.Has(processors, after, "event_router"):
				c.add(LevelWarning, at, value, sampler+" removes events, and trees are built from the rest",
					"sample by event_router's sampling_rate, which keeps tasks complete, or after span_hierarchy in a separate pipeline")
			case c.conf.Has(exporters, line.Exporters, "span_to_metrics"):
				c.add(LevelWarning, at, value, "span_to_metrics measures only what "+sampler+" keeps",
					"use a pipeline without it for span_to_metrics, and sample in another one after the connector forward")
			}
		}
	}
}

// checkMarks looks for processors that drop the context in which components mark the spans they made.
func (c *checker) checkMarks(line collectorconfig.Pipeline, at, value string) {
	if line.Signal != "traces" {
		return
	}
	c.checkBatched(line, at, value)
	from := slices.IndexFunc(line.Processors, func(id string) bool {
		return slices.Contains([]string{"batch", "groupbytrace"}, c.conf.Component(processors, id).Type)
	})
	if from < 0 {
		return
	}
	before := c.conf.Has(receivers, line.Receivers, "routed_events") && c.conf.Has(processors, line.Processors[from:], "span_hierarchy")
	behind := c.conf.Has(processors, line.Processors[:from], "span_hierarchy") &&
		(c.conf.Has(exporters, line.Exporters, "span_to_metrics") || c.conf.Has(exporters, line.Exporters, "routed_events"))
	if before || behind {
		c.add(LevelError, at, value, line.Processors[from]+" makes spans of this collector look like received ones, which are not assembled, measured or recorded",
			"remove it: the components batch themselves, and exporters have sending_queue::batch")
	}
}

// checkBatched looks for batches of events in pipelines where nothing can read them.
func (c *checker) checkBatched(line collectorconfig.Pipeline, at, value string) {
	for _, id := range line.Receivers {
		p := c.conf.Component(receivers, id)
		if p.Type == "routed_events" && p.Setting("event_spans") == "batched" && !c.conf.Has(processors, line.Processors, "span_hierarchy") {
			c.add(LevelError, at, value, id+" sends the events of a batch in one span, which only span_hierarchy can read",
				"add span_hierarchy, or set "+p.SettingKey("event_spans")+" to each")
		}
	}
}

// queued are the exporters with a queue in memory by default.
var queued = []string{"otlp_grpc", "otlp_http", "kafka"}

// checkDurability looks for data that a crash would lose although some component has a storage.
func (c *checker) checkDurability() {
	keeping := ""
	for _, p := range c.conf.Used() {
		if c.hasState(p) && p.Setting("storage") != "" {
			keeping = p.Key
		}
	}
	if keeping == "" {
		return
	}
	for _, p := range c.conf.Used() {
		if c.hasState(p) && p.Setting("storage") == "" {
			c.add(LevelWarning, p.SettingKey("storage"), "", keeping+" has a storage and this has none: a crash loses "+loss(p.Type), "set it to the same extension")
		}
	}
	for _, line := range c.conf.Pipelines {
		for i, id := range line.Processors {
			if c.conf.Component(processors, id).Type != "batch" {
				continue
			}
			behind := slices.ContainsFunc(line.Processors[i:], func(id string) bool { return c.conf.Component(processors, id).Setting("storage") != "" }) ||
				slices.ContainsFunc(line.Exporters, func(id string) bool {
					return c.conf.Component(exporters, id).Setting("storage") != "" || c.conf.Has(exporters, []string{id}, "routed_events")
				})
			if behind {
				c.add(LevelWarning, line.Key+"::processors", "["+strings.Join(line.Processors, ", ")+"]",
					id+" acknowledges data before the components with a storage have stored it: a crash loses it",
					"remove it: the components batch themselves, and exporters have sending_queue::batch")
			}
		}
		if !c.conf.Has(processors, line.Processors, "span_hierarchy") && !c.conf.Has(receivers, line.Receivers, "routed_events") {
			continue
		}
		for _, id := range line.Exporters {
			p := c.conf.Component(exporters, id)
			queue := collectorconfig.Mapping(p.Settings["sending_queue"])
			if slices.Contains(queued, p.Type) && queue["enabled"] != false && p.Setting("sending_queue", "storage") == "" {
				c.add(LevelWarning, p.SettingKey("sending_queue", "storage"), "",
					"the queue is in memory: a crash loses the finished spans and records that the backend has not accepted yet",
					"set it to the extension of "+keeping+"::storage")
			}
		}
	}
}

// hasState reports whether a component has state.
func (c *checker) hasState(p collectorconfig.Component) bool {
	switch p.Type {
	case "span_hierarchy", "span_to_metrics":
		return true
	case "routed_events":
		return p.Setting("announcements") != "all" && c.isExporterOf(p, "traces")
	case "event_router":
		return p.Setting("deduplicate", "enabled") != "false"
	}
	return false
}

// isExporterOf reports whether a component is an exporter of pipelines of a signal.
func (c *checker) isExporterOf(p collectorconfig.Component, signal string) bool {
	return slices.ContainsFunc(c.conf.Pipelines, func(line collectorconfig.Pipeline) bool {
		return line.Signal == signal && slices.ContainsFunc(line.Exporters, func(id string) bool { return c.conf.Component(exporters, id).Key == p.Key })
	})
}

// isReceiverOf reports whether a component is a receiver of pipelines of a signal.
func (c *checker) isReceiverOf(p collectorconfig.Component, signal string) bool {
	return slices.ContainsFunc(c.conf.Pipelines, func(line collectorconfig.Pipeline) bool {
		return line.Signal == signal && slices.ContainsFunc(line.Receivers, func(id string) bool { return c.conf.Component(receivers, id).Key == p.Key })
	})
}

// checkRecords looks for connectors that record announcements instead of facts.
func (c *checker) checkRecords() {
	assembles := slices.ContainsFunc(c.conf.Used(), func(p collectorconfig.Component) bool { return p.Type == "span_hierarchy" })
	for _, p := range c.conf.Used() {
		if p.Type != "routed_events" || p.Setting("announcements") == "all" || !assembles || !c.isReceiverOf(p, "logs") || c.isExporterOf(p, "traces") {
			continue
		}
		c.add(LevelWarning, p.SettingKey("announcements"), p.Setting("announcements"),
			"each announcement of the engine becomes a record, two or three per fact, because this connector receives no finished spans",
			"add it to the exporters of the pipeline with span_hierarchy, or set it to all")
	}
}

func loss(kind string) string {
	switch kind {
	case "span_hierarchy":
		return "the open tasks"
	case "span_to_metrics":
		return "the totals, and duplicates are counted"
	case "routed_events":
		return "the recorded facts, and the start of each running task is recorded again"
	}
	return "the received event ids, and resent events are recorded twice"
}
