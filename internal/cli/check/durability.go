package check

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

func cut(key string) (section, id string, found bool) { return strings.Cut(key, confmap.KeyDelimiter) }

// checkOrder looks for processors that stand in the wrong place, or are missing.
func (c *configuration) checkOrder() {
	for _, line := range c.pipelines {
		at := line.key + "::processors"
		value := "[" + strings.Join(line.processors, ", ") + "]"
		for i, id := range line.processors {
			if i > 0 && c.part(processors, id).kind == "memory_limiter" {
				c.add(LevelWarning, at, value, "memory_limiter refuses only after the processors before it have spent the memory", "write it first")
			}
		}
		measured := c.has(exporters, line.exporters, "span_to_metrics") || c.has(exporters, line.exporters, "routed_events")
		if c.has(receivers, line.receivers, "tasker_events") && measured && !c.has(processors, line.processors, "event_router") {
			c.add(LevelWarning, at, value, "without event_router nothing is redacted, sampled, or taken once when it is sent again", "add event_router after memory_limiter")
		}
		for _, sampler := range []string{"probabilistic_sampler", "tail_sampling"} {
			from := slices.IndexFunc(line.processors, func(id string) bool { return c.part(processors, id).kind == sampler })
			if from < 0 {
				continue
			}
			after := line.processors[from:]
			switch {
			case c.has(processors, after, "span_hierarchy") || c.has(processors, after, "event_router"):
				c.add(LevelWarning, at, value, sampler+" takes events out, and trees are built of what is left",
					"sample by event_router's sampling_rate, which keeps tasks whole, or behind span_hierarchy in a pipeline of its own")
			case c.has(exporters, line.exporters, "span_to_metrics"):
				c.add(LevelWarning, at, value, "span_to_metrics measures only what "+sampler+" lets through",
					"give span_to_metrics a pipeline without it, and sample in another one behind the connector forward")
			}
		}
	}
}

// queued are the exporters that have a queue in memory unless configured otherwise.
var queued = []string{"otlp_grpc", "otlp_http", "kafka"}

// checkDurability looks for what a crash takes from a collector that is meant to survive one.
func (c *configuration) checkDurability() {
	keeping := ""
	for _, p := range c.used() {
		if remembers(p) && p.setting("storage") != "" {
			keeping = p.key
		}
	}
	if keeping == "" {
		return
	}
	for _, p := range c.used() {
		if remembers(p) && p.setting("storage") == "" {
			c.add(LevelWarning, p.settingKey("storage"), "", keeping+" has a storage and this has none: a crash takes "+loss(p.kind), "set it to the same extension")
		}
	}
	for _, line := range c.pipelines {
		for i, id := range line.processors {
			if c.part(processors, id).kind != "batch" {
				continue
			}
			behind := slices.ContainsFunc(line.processors[i:], func(id string) bool { return c.part(processors, id).setting("storage") != "" }) ||
				slices.ContainsFunc(line.exporters, func(id string) bool {
					return c.part(exporters, id).setting("storage") != "" || c.has(exporters, []string{id}, "routed_events")
				})
			if behind {
				c.add(LevelWarning, line.key+"::processors", "["+strings.Join(line.processors, ", ")+"]",
					id+" acknowledges what the components with a storage have not stored yet: a crash takes it",
					"remove it: the components batch themselves, and exporters have sending_queue::batch")
			}
		}
		if !c.has(processors, line.processors, "span_hierarchy") && !c.has(receivers, line.receivers, "routed_events") {
			continue
		}
		for _, id := range line.exporters {
			p := c.part(exporters, id)
			queue := mapping(p.settings["sending_queue"])
			if slices.Contains(queued, p.kind) && queue["enabled"] != false && p.setting("sending_queue", "storage") == "" {
				c.add(LevelWarning, p.settingKey("sending_queue", "storage"), "",
					"the queue is in memory: a crash takes the finished spans and records that the backend has not taken yet",
					"set it to the extension of "+keeping+"::storage")
			}
		}
	}
}

// remembers tells whether a component has a state to lose.
func remembers(p part) bool {
	switch p.kind {
	case "span_hierarchy", "span_to_metrics":
		return true
	case "event_router":
		return p.setting("deduplicate", "enabled") != "false"
	}
	return false
}

func loss(kind string) string {
	switch kind {
	case "span_hierarchy":
		return "the tasks that are open"
	case "span_to_metrics":
		return "the totals, and what is sent again counts again"
	}
	return "the memory of what has come, and records of what is sent again are doubled"
}
