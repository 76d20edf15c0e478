package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
)

// metricExpiration is the default of the prometheus exporter's metric_expiration.
const metricExpiration = 5 * time.Minute

// prometheusExporter is the type of the exporter whose endpoint an export reads.
const prometheusExporter = "prometheus"

// collectorParts are what of a collector's configuration tells when a series is forgotten.
type collectorParts struct {
	Exporters map[string]struct {
		// MetricExpiration is 0 for: at once.
		MetricExpiration *time.Duration `mapstructure:"metric_expiration"`
	} `mapstructure:"exporters"`
	Connectors map[string]struct {
		// SeriesExpiration is 0 for: never.
		SeriesExpiration *time.Duration `mapstructure:"series_expiration"`
	} `mapstructure:"connectors"`
	Service struct {
		Pipelines map[string]struct {
			Receivers []string `mapstructure:"receivers"`
			Exporters []string `mapstructure:"exporters"`
		} `mapstructure:"pipelines"`
	} `mapstructure:"service"`
}

// SeriesExpiryOf is after how long without news a collector with this configuration forgets a series: the least of
// metric_expiration of its prometheus exporters and series_expiration of span_to_metrics, among those in a pipeline.
func SeriesExpiryOf(conf *confmap.Conf) (time.Duration, error) {
	var parts collectorParts
	if err := conf.Unmarshal(&parts, confmap.WithIgnoreUnused()); err != nil {
		return 0, err
	}
	used := map[string]bool{}
	for _, pipeline := range parts.Service.Pipelines {
		for _, id := range slices.Concat(pipeline.Receivers, pipeline.Exporters) {
			used[id] = true
		}
	}
	var least time.Duration
	for id, exporter := range parts.Exporters {
		if !used[id] || typeOf(id) != prometheusExporter {
			continue
		}
		expiry := metricExpiration
		if exporter.MetricExpiration != nil {
			expiry = *exporter.MetricExpiration
		}
		if expiry <= 0 {
			return 0, fmt.Errorf("exporters::%s::metric_expiration is %s: every series is forgotten at once, and an export finds "+
				"none; set it to 24h, for example", id, expiry)
		}
		least = sooner(least, expiry)
	}
	if least == 0 {
		return 0, errors.New("there is no exporter prometheus in a pipeline, whose endpoint an export would read: " +
			"name all files that the collector is started with")
	}
	defaults := spantometrics.NewFactory()
	for id, connector := range parts.Connectors {
		if kind := typeOf(id); !used[id] || kind != defaults.Type().String() && kind != "spantometrics" {
			continue
		}
		if connector.SeriesExpiration != nil {
			least = sooner(least, *connector.SeriesExpiration)
			continue
		}
		least = sooner(least, defaults.CreateDefaultConfig().(*spantometrics.Config).SeriesExpiration)
	}
	return least, nil
}

// sooner is the lesser of two times, of which 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// typeOf is the type of a component's id; an id that is none is the collector's own to complain of.
func typeOf(text string) string {
	var id component.ID
	if id.UnmarshalText([]byte(strings.TrimSpace(text))) != nil {
		return ""
	}
	return id.Type().String()
}
