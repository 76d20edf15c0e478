// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventbatches is a converter of the collector's configuration: it sets log_records to batched for those tasker_events
// receivers that leave it to the collector, and whose pipelines have only components that can read events in batches. It is a
// converter because only the whole configuration shows that.
//
// It has no state.
package eventbatches

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// NewFactory makes the factory of the converter.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return converter{} })
}

type converter struct{}

// Convert changes conf. Components that are not valid are left for the collector to report.
func (converter) Convert(_ context.Context, conf *confmap.Conf) error {
	config := collectorconfig.New(conf)
	for _, receiver := range config.OfType(collectorconfig.Receivers, "tasker_events") {
		if set := receiver.Setting("log_records"); set != "" && set != "auto" || !readBatches(config, receiver) {
			continue
		}
		batched := confmap.NewFromStringMap(map[string]any{
			collectorconfig.Receivers: map[string]any{receiver.ID: map[string]any{"log_records": "batched"}},
		})
		if err := conf.Merge(batched); err != nil {
			return fmt.Errorf("setting %s to batched: %w", receiver.SettingKey("log_records"), err)
		}
	}
	return nil
}

// readBatches reports whether everything that the receiver's events pass can read batches.
func readBatches(config *collectorconfig.Config, receiver collectorconfig.Component) bool {
	used := false
	for i := range config.Pipelines {
		p := &config.Pipelines[i]
		if slices.Contains(p.Receivers, collectorconfig.ParseID(receiver.ID)) {
			used = true
			if len(config.NotReadingBatches(p)) > 0 {
				return false
			}
		}
	}
	return used
}
