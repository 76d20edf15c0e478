// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension"

	"github.com/tasker-otel/otelcol-tasker/extension/taskerpages/internal/metadata"
)

const (
	defaultEndpoint   = "localhost:8890"
	defaultOwnMetrics = "http://localhost:8888/metrics"
)

// NewFactory creates the factory of the extension tasker_pages.
func NewFactory() extension.Factory {
	return xextension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability,
		xextension.WithDeprecatedTypeAlias(metadata.DeprecatedType))
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadHeaderTimeout = 10 * time.Second
	server.MaxRequestBodySize = 64 << 10
	return &Config{
		ServerConfig: server, RefreshInterval: time.Second, MaxViewers: 50, RecentTasks: 1000, RecentBytes: 64 << 20,
		OwnMetrics: defaultOwnMetrics,
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newPages(set, cfg.(*Config))
}
