package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// Config has the settings of the components that are simulated.
type Config struct {
	Router    *eventrouter.Config
	Events    *routedevents.Config
	Hierarchy *spanhierarchy.Config
	Metrics   *spantometrics.Config
}

// DefaultConfig has the components' defaults.
func DefaultConfig() Config {
	return Config{
		Router:    eventrouter.NewFactory().CreateDefaultConfig().(*eventrouter.Config),
		Events:    routedevents.NewFactory().CreateDefaultConfig().(*routedevents.Config),
		Hierarchy: spanhierarchy.NewFactory().CreateDefaultConfig().(*spanhierarchy.Config),
		Metrics:   spantometrics.NewFactory().CreateDefaultConfig().(*spantometrics.Config),
	}
}

// ReadConfig takes the components' settings from the configuration of a collector. A component that is not in it has its
// defaults, and so has its storage none: a simulation must not touch the state of a collector. The error joins all mistakes.
func ReadConfig(conf *confmap.Conf) (Config, error) {
	cfg := DefaultConfig()
	err := errors.Join(
		read(conf, "processors", eventrouter.NewFactory().Type(), cfg.Router),
		read(conf, "connectors", routedevents.NewFactory().Type(), cfg.Events),
		read(conf, "processors", spanhierarchy.NewFactory().Type(), cfg.Hierarchy),
		read(conf, "connectors", spantometrics.NewFactory().Type(), cfg.Metrics),
	)
	cfg.Router.Storage, cfg.Hierarchy.Storage, cfg.Metrics.StorageID = nil, nil, nil
	return cfg, err
}

// read finds the component of a type, by its name or the one that it had before, and reads its settings.
func read(conf *confmap.Conf, kind string, of component.Type, into component.Config) error {
	parts, err := conf.Sub(kind)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	var found []string
	for key := range parts.ToStringMap() {
		var id component.ID
		if id.UnmarshalText([]byte(key)) != nil {
			continue // the collector's own to complain of
		}
		if name := id.Type().String(); name == of.String() || name == strings.ReplaceAll(of.String(), "_", "") {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	switch {
	case len(found) == 0:
		return nil
	case len(found) > 1:
		return fmt.Errorf("%s: there are several of the type %s (%s), and a simulation has one", kind, of, strings.Join(found, ", "))
	}
	section, err := parts.Sub(found[0])
	if err != nil {
		return fmt.Errorf("%s::%s: %w", kind, found[0], err)
	}
	if err := section.Unmarshal(into); err != nil {
		return fmt.Errorf("%s::%s: %w", kind, found[0], err)
	}
	if err := xconfmap.Validate(into); err != nil {
		return fmt.Errorf("%s::%s:\n%w", kind, found[0], err)
	}
	return nil
}
