// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// metricsFrom is an instance of span_to_metrics with its effective configuration.
type metricsFrom struct {
	collectorconfig.Component
	id  string
	cfg *spantometrics.Config
}

// expiry describes which setting of an exporter expires series, and its default.
var expiry = map[string]struct {
	key     string
	unset   time.Duration
	forever bool // 0 disables it
}{
	"prometheus": {"metric_expiration", 5 * time.Minute, false},
	"tasker_csv": {"series_expiration", 24 * time.Hour, true},
}

// checkMetrics looks for metrics that do not arrive or reset.
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
						one.id+" and "+other.id+" both measure the data of "+input+": two writers of the same series",
						"keep one of them, with the metrics and dimensions of both")
				}
			}
		}
	}
}

// sources returns the instances of span_to_metrics among the receivers of a pipeline, except invalid ones, which the
// collector's validation reports.
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
				"series expire before they are flushed again: "+from.SettingKey("metrics_flush_interval")+" is "+from.cfg.MetricsFlushInterval.String(),
				"set it much higher, such as 24h: a workflow may run once a day")
		}
	}
	if to.Type == "prometheus" && from.cfg.Exemplars.Enabled && to.Setting("enable_open_metrics") != "true" {
		c.add(LevelWarning, to.SettingKey("enable_open_metrics"), to.Setting("enable_open_metrics"),
			"exemplars, which link histograms to traces, exist only in the OpenMetrics format", "set it to true")
	}
	if !strings.HasSuffix(strings.ToLower(from.cfg.AggregationTemporality), "delta") {
		return
	}
	switch to.Type {
	case "prometheus_remote_write":
		c.add(LevelError, from.SettingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.Key+" rejects metrics that are not cumulative", "set it to cumulative")
	case "prometheus":
		c.add(LevelWarning, from.SettingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.Key+" resets a series after each flush in which it was idle: totals decrease", "set it to cumulative")
	}
}

// sharedInput returns a receiver that feeds both connectors; empty if there is none.
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
