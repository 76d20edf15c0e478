package check

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
)

// metricsFrom is an instance of span_to_metrics, as configured and with its defaults.
type metricsFrom struct {
	part
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
func (c *configuration) checkMetrics() {
	for _, line := range c.pipelines {
		if line.signal != "metrics" {
			continue
		}
		sources := c.sources(line.receivers)
		for _, exporter := range line.exporters {
			to := c.part(exporters, exporter)
			for _, from := range sources {
				c.checkArrival(from, to)
			}
		}
		for i, one := range sources {
			for _, other := range sources[i+1:] {
				if input := c.sharedInput(one.id, other.id); input != "" {
					c.add(LevelWarning, line.key+"::receivers", "["+strings.Join(line.receivers, ", ")+"]",
						one.id+" and "+other.id+" both measure what comes from "+input+": two writers of the same series",
						"keep one of them; further metrics and dimensions are settings of one")
				}
			}
		}
	}
}

// sources are the instances of span_to_metrics among the receivers of a pipeline. One whose settings can not be read is left
// out: that is what the collector's validation tells.
func (c *configuration) sources(among []string) []metricsFrom {
	var all []metricsFrom
	for _, id := range among {
		p, found := c.parts[connectors][id]
		if !found || p.kind != "span_to_metrics" {
			continue
		}
		cfg := spantometrics.NewFactory().CreateDefaultConfig().(*spantometrics.Config)
		if confmap.NewFromStringMap(p.settings).Unmarshal(cfg) == nil {
			all = append(all, metricsFrom{p, id, cfg})
		}
	}
	return all
}

func (c *configuration) checkArrival(from metricsFrom, to part) {
	if forget, found := expiry[to.kind]; found {
		after, text := forget.unset, to.setting(forget.key)
		parsed, err := time.ParseDuration(text)
		if err == nil {
			after = parsed
		}
		if (text == "" || err == nil) && after <= from.cfg.MetricsFlushInterval && (after > 0 || !forget.forever) {
			c.add(LevelWarning, to.settingKey(forget.key), text,
				"series are forgotten before they come again: "+from.settingKey("metrics_flush_interval")+" is "+from.cfg.MetricsFlushInterval.String(),
				"set it to much more, such as 24h: a workflow may run once a day")
		}
	}
	if to.kind == "prometheus" && from.cfg.Exemplars.Enabled && to.setting("enable_open_metrics") != "true" {
		c.add(LevelWarning, to.settingKey("enable_open_metrics"), to.setting("enable_open_metrics"),
			"exemplars, which lead from a histogram to a trace, exist in the OpenMetrics format only", "set it to true")
	}
	if !strings.HasSuffix(strings.ToLower(from.cfg.AggregationTemporality), "delta") {
		return
	}
	switch to.kind {
	case "prometheus_remote_write":
		c.add(LevelError, from.settingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.key+" refuses everything that is not cumulative", "set it to cumulative")
	case "prometheus":
		c.add(LevelWarning, from.settingKey("aggregation_temporality"), from.cfg.AggregationTemporality,
			to.key+" begins a series anew after each flush in which it was idle: totals fall", "set it to cumulative")
	}
}

// sharedInput is a receiver whose data two connectors are both given, or empty.
func (c *configuration) sharedInput(one, other string) string {
	for _, a := range c.pipelines {
		if !slices.Contains(a.exporters, one) {
			continue
		}
		for _, b := range c.pipelines {
			if !slices.Contains(b.exporters, other) || a.signal != b.signal {
				continue
			}
			for _, receiver := range a.receivers {
				if slices.Contains(b.receivers, receiver) {
					return receiver
				}
			}
		}
	}
	return ""
}
