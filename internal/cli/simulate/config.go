// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// Config has the settings of the simulated components.
type Config struct {
	Router    *eventrouter.Config
	Events    *routedevents.Config
	Hierarchy *spanhierarchy.Config
	Metrics   *spantometrics.Config
}

// DefaultConfig returns the components' defaults.
func DefaultConfig() Config {
	return Config{
		Router:    eventrouter.NewFactory().CreateDefaultConfig().(*eventrouter.Config),
		Events:    routedevents.NewFactory().CreateDefaultConfig().(*routedevents.Config),
		Hierarchy: spanhierarchy.NewFactory().CreateDefaultConfig().(*spanhierarchy.Config),
		Metrics:   spantometrics.NewFactory().CreateDefaultConfig().(*spantometrics.Config),
	}
}

// ReadConfig returns the components' settings in a collector's configuration, with defaults for components that it lacks. The
// storage is never used: a simulation must not touch the state of a collector. The error joins all mistakes.
func ReadConfig(conf *confmap.Conf) (Config, error) {
	cfg := DefaultConfig()
	collector := collectorconfig.New(conf)
	err := errors.Join(
		read(collector, collectorconfig.Processors, eventrouter.NewFactory().Type(), cfg.Router),
		read(collector, collectorconfig.Connectors, routedevents.NewFactory().Type(), cfg.Events),
		read(collector, collectorconfig.Processors, spanhierarchy.NewFactory().Type(), cfg.Hierarchy),
		read(collector, collectorconfig.Connectors, spantometrics.NewFactory().Type(), cfg.Metrics),
	)
	cfg.Router.Storage, cfg.Events.Storage, cfg.Hierarchy.Storage, cfg.Metrics.StorageID = nil, nil, nil, nil
	return cfg, err
}

// read reads the settings of the component of a type, if there is one.
func read(collector *collectorconfig.Config, section string, typ component.Type, into component.Config) error {
	switch found := collector.OfType(section, typ.String()); len(found) {
	case 0:
		return nil
	case 1:
		return found[0].UnmarshalValid(into)
	default:
		return fmt.Errorf("%s: there are several of the type %s (%s), and a simulation has one", section, typ, collectorconfig.IDs(found))
	}
}
