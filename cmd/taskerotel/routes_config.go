package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpsprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"

	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
)

// loadRouter reads the settings of a router from the collector's configuration: several files are merged in order,
// and ${env:NAME} is replaced, as the collector does. Without a file they are the defaults. The error joins all mistakes.
func loadRouter(ctx context.Context, files []string, name string) (*eventrouter.Config, error) {
	factory := eventrouter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*eventrouter.Config)
	if len(files) == 0 {
		return cfg, nil
	}
	conf, err := resolve(ctx, files)
	if err != nil {
		return nil, err
	}
	key, err := routerKey(conf, factory.Type(), name)
	if err != nil {
		return nil, err
	}
	section, err := conf.Sub("processors" + confmap.KeyDelimiter + key)
	if err != nil {
		return nil, fmt.Errorf("reading processors::%s: %w", key, err)
	}
	if err := section.Unmarshal(cfg); err != nil {
		return nil, fmt.Errorf("processors::%s: %w", key, err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("processors::%s:\n%w", key, err)
	}
	return cfg, nil
}

func resolve(ctx context.Context, files []string) (*confmap.Conf, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: files,
		ProviderFactories: []confmap.ProviderFactory{
			fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory(),
			httpprovider.NewFactory(), httpsprovider.NewFactory(),
		},
		DefaultScheme: "env",
	})
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return conf, resolver.Shutdown(ctx)
}

// routerKey finds the router among the processors. With several, its name must be given.
func routerKey(conf *confmap.Conf, kind component.Type, name string) (string, error) {
	processors, err := conf.Sub("processors")
	if err != nil {
		return "", fmt.Errorf("reading processors: %w", err)
	}
	var found []string
	for key := range processors.ToStringMap() {
		var id component.ID
		if err := id.UnmarshalText([]byte(key)); err != nil {
			continue // the collector's own to complain of
		}
		if id.Type() == kind || id.Type().String() == strings.ReplaceAll(kind.String(), "_", "") {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	switch {
	case name != "" && slices.Contains(found, name):
		return name, nil
	case name != "":
		return "", usageError{fmt.Errorf("--router %q is not among the processors: name one of %s", name, strings.Join(found, ", "))}
	case len(found) == 0:
		return "", fmt.Errorf("the configuration has no processor %s", kind)
	case len(found) > 1:
		return "", usageError{fmt.Errorf("the configuration has several routers: choose one of %s with --router", strings.Join(found, ", "))}
	}
	return found[0], nil
}
