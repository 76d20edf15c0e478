// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconfig

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpsprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
)

// Load resolves the values of --config as the collector does: files, env:, yaml:, http: and https:, merged in order, with
// ${env:NAME} expanded.
func Load(ctx context.Context, uris []string) (*confmap.Conf, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: uris,
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
