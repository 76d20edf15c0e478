// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/collectorconfig"
)

// metricsFrom is an instance of span_to_metrics, as configured and with its defaults.
type metricsFrom struct {
	collectorconfig.Component
	id  string
	cfg *spantometrics.Config
}

// expiry says how exporters forget series: by which setting, and what that is where it is not set.
var expiry = map[string]struct {
	key     string
	unset   time.Duration
	forever bool // 0 means never
}{
	"prometheus": {"metric_expiration", 5 * time.Minute, false},
	"tasker_csv": {"series_expiration", 24 * time.Hour, true},
}

// checkMetrics looks for numbers that do not arrive.
func (c *checker) checkMetrics() {
	for _, line := range c.conf.Pipelines {
		if line.Signal != "metrics" {
			continue
		}
		sources := c.sources(line.Receivers)
		for _, exporter := range line.Exporters {
			to := c.conf.Component(exporters, exporter)
			for _, from := range sources {
				c.checkArrival(from, to)
			}
		}
		for i, one := range sources {
			for _, other := range sources[i+1:] {
				if input := c.sharedInput(one.id, other.id); input != "" {
					c.add(LevelWarning, line.Key+"::receivers", "["+strings.Join(line.Receivers, ", ")+"]",
						one.id+" and "+other.id+" both measure what comes from "+input+": two writers of the same series",
						"keep one of them; further metrics and dimensions are settings of one")
				}
			}
		}
	}
}

// sources returns the instances of span_to_metrics among the receivers of a pipeline. One whose settings can not be read is left
// out: that is what the collector's validation tells.
func (c *checker) sources(among []string) []metricsFrom {
	var all []metricsFrom
	for _, id := range among {
		p, found := c.conf.Components[connectors][id]
		if !found || p.Type != "span_to_metrics" {
			continue
		}
		cfg := spantometrics.NewFactory().CreateDefaultConfig().(*spantometrics.Config)
		if p.Unmarshal(cfg) == nil {
			all = append(all, metricsFrom{p, id, cfg})
		}
	}
	return all
}

func (c *checker) checkArrival(from metricsFrom, to collectorconfig.Component) {
	if forget, found := expiry[to.Type]; found {
		after, err := to.Duration(forget.key, forget.unset)
		if err == nil && after <= from.cfg.MetricsFlushInterval && (after > 0 || !forget.forever) {
			c.add(LevelWarning, to.SettingKey(forget.key), to.Setting(forget.key),
				"series are forgotten before they come again: "+from.SettingKey("metrics_flush_interval")+" is "+from.cfg.MetricsFlushInterval.String(),
				"set it to much more, such as 24h: a workflow may run once a day")
		}
	}
	if to.Type == "prometheus" && from.cfg.Exemplars.Enabled && to.Setting("enable_open_metrics") != "true" {
		c.add(LevelWarning, to.SettingKey("enable_open_metrics"), to.Setting("enable_open_metrics"),
			"exemplars, which lead from a histogram to a trace, exist in the OpenMetrics format only", "set it to true")
	}
	if !strings.HasSuffix(strings.ToLower(from.cfg.AggregationTemporality), "delta") {
		return
	}
	switch to.Type {
	case "prometheus_remote_write":
		c.add(LevelError, from.SettingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.Key+" refuses everything that is not cumulative", "set it to cumulative")
	case "prometheus":
		c.add(LevelWarning, from.SettingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.Key+" begins a series anew after each flush in which it was idle: totals fall", "set it to cumulative")
	}
}

// sharedInput returns a receiver whose data two connectors are both given, or empty.
func (c *checker) sharedInput(one, other string) string {
	for _, a := range c.conf.Pipelines {
		if !slices.Contains(a.Exporters, one) {
			continue
		}
		for _, b := range c.conf.Pipelines {
			if !slices.Contains(b.Exporters, other) || a.Signal != b.Signal {
				continue
			}
			for _, receiver := range a.Receivers {
				if slices.Contains(b.Receivers, receiver) {
					return receiver
				}
			}
		}
	}
	return ""
}
