// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// checkPayload looks for bulky payload keys that tasker_events decodes but event_router removes or vice versa, for values
// that are used but not decoded because nothing built in uses them, and for batches of events that something cannot read.
func (c *checker) checkPayload() {
	for _, line := range c.conf.Pipelines {
		for _, from := range line.Receivers {
			receiver := c.conf.Component(receivers, from)
			if receiver.Type != "tasker_events" {
				continue
			}
			for _, by := range line.Processors {
				if router := c.conf.Component(processors, by); router.Type == "event_router" && router.Setting("select") != "others" {
					c.comparePayload(receiver, router)
				}
			}
			if receiver.Setting("payload", "decode") == "used" {
				c.checkUse(receiver, line.Exporters)
			}
			if receiver.Setting("log_records") == "batched" {
				c.checkReaders(receiver, &line)
			}
		}
	}
}

func (c *checker) comparePayload(receiver, router collectorconfig.Component) {
	decoded, kept := included(receiver), included(router)
	for _, key := range kept {
		if !slices.Contains(decoded, key) {
			c.add(LevelWarning, router.SettingKey("payload", "include"), list(kept), receiver.Key+" does not decode "+key+", so it cannot be kept",
				"add "+key+" to "+receiver.SettingKey("payload", "include"))
		}
	}
	for _, key := range decoded {
		if !slices.Contains(kept, key) {
			c.add(LevelWarning, receiver.SettingKey("payload", "include"), list(decoded), router.Key+" removes "+key+", so it is decoded in vain",
				"remove "+key+", or add it to "+router.SettingKey("payload", "include"))
		}
	}
}

// checkReaders looks for components that cannot read batches of events.
func (c *checker) checkReaders(receiver collectorconfig.Component, line *collectorconfig.Pipeline) {
	if cannot := c.conf.NotReadingBatches(line); len(cannot) > 0 {
		c.add(LevelError, receiver.SettingKey("log_records"), "batched", "the events of a request are in one log record, which "+strings.Join(cannot, ", ")+
			" in "+line.Key+" cannot read", "set it to auto")
	}
}

// checkUse looks for uses of values that a receiver with payload::decode: used does not decode.
func (c *checker) checkUse(receiver collectorconfig.Component, users []string) {
	for _, id := range users {
		switch user := c.conf.Component(connectors, id); user.Type {
		case "routed_events":
			if user.Setting("announcements") == "all" {
				c.add(LevelWarning, user.SettingKey("announcements"), "all", receiver.Key+" does not decode all of the payload, so the records lack values",
					"set "+receiver.SettingKey("payload", "decode")+" to all")
			}
		case "span_to_metrics":
			cfg := spantometrics.NewFactory().CreateDefaultConfig().(*spantometrics.Config)
			if user.Unmarshal(cfg) != nil {
				continue // the collector's validation reports it
			}
			for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
				c.checkMetricUse(receiver, user, name, cfg.Metrics[name])
			}
		}
	}
}

func (c *checker) checkMetricUse(receiver, user collectorconfig.Component, name string, metric spantometrics.MetricConfig) {
	unused := lifecycle.UnusedPayloadKeys()
	for _, event := range slices.Sorted(maps.Keys(unused)) {
		for _, key := range metric.PayloadKeysOf(event) {
			if slices.Contains(unused[event], key) {
				c.add(LevelWarning, user.SettingKey("metrics", name), key, receiver.Key+" does not decode "+key+" of "+event,
					"set "+receiver.SettingKey("payload", "decode")+" to all")
				return
			}
		}
	}
}

// included returns the setting payload::include.
func included(p collectorconfig.Component) []string {
	var keys []string
	values, _ := collectorconfig.Mapping(p.Settings["payload"])["include"].([]any)
	for _, value := range values {
		if key, ok := value.(string); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func list(values []string) string { return "[" + strings.Join(values, ", ") + "]" }
