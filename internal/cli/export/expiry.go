// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// prometheusExporter is the type of the exporter that is scraped.
const prometheusExporter = "prometheus"

// metricExpiration is the default of the prometheus exporter's metric_expiration.
const metricExpiration = 5 * time.Minute

// SeriesExpiryOf returns after how long without updates a collector with this configuration removes a series: the minimum
// of metric_expiration of its prometheus exporters and series_expiration of span_to_metrics, as far as they are in a
// pipeline. 0 means never.
func SeriesExpiryOf(conf *confmap.Conf) (time.Duration, error) {
	var (
		exported, counted time.Duration
		found             bool
		connector         = spantometrics.NewFactory()
	)
	for _, p := range collectorconfig.New(conf).Used() {
		switch {
		case p.Section == collectorconfig.Exporters && p.Type == prometheusExporter:
			found = true
			expiry, err := p.Duration("metric_expiration", metricExpiration)
			if err != nil {
				return 0, err
			}
			if expiry <= 0 {
				return 0, configerr.New(p.SettingKey("metric_expiration"), expiry, "expires every series immediately, so that an export finds none", "use more, such as 24h")
			}
			exported = shorterExpiry(exported, expiry)
		case p.Section == collectorconfig.Connectors && p.Type == connector.Type().String():
			expiry, err := p.Duration("series_expiration", connector.CreateDefaultConfig().(*spantometrics.Config).SeriesExpiration)
			if err != nil {
				return 0, err
			}
			counted = shorterExpiry(counted, expiry)
		}
	}
	if !found {
		return 0, errors.New("there is no exporter prometheus in a pipeline whose endpoint an export could read: " +
			"pass all files that the collector is started with")
	}
	return shorterExpiry(exported, counted), nil
}

// shorterExpiry returns the lesser of two durations, where 0 means never.
func shorterExpiry(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
