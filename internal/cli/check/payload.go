// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/collectorconfig"
)

// checkPayload looks for bulky payload keys that tasker_events decodes and event_router leaves out, or the other way round.
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
		}
	}
}

func (c *checker) comparePayload(receiver, router collectorconfig.Component) {
	decoded, kept := included(receiver), included(router)
	for _, key := range kept {
		if !slices.Contains(decoded, key) {
			c.add(LevelWarning, router.SettingKey("payload", "include"), list(kept), receiver.Key+" does not decode "+key+", so there is nothing to keep",
				"add "+key+" to "+receiver.SettingKey("payload", "include"))
		}
	}
	for _, key := range decoded {
		if !slices.Contains(kept, key) {
			c.add(LevelWarning, receiver.SettingKey("payload", "include"), list(decoded), router.Key+" leaves "+key+" out, so it is decoded for nothing",
				"remove "+key+", or add it to "+router.SettingKey("payload", "include"))
		}
	}
}

// included is the setting payload::include.
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
