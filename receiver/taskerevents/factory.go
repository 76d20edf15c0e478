// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/xreceiver"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

const (
	defaultEndpoint   = "localhost:4319"
	defaultPath       = "/v1/events"
	defaultHealthPath = "/health"
	// defaultOTLPPath is that of OTLP/HTTP.
	defaultOTLPPath    = "/v1/logs"
	defaultMaxBodySize = 20 << 20
	defaultMaxInFlight = 64 << 20
	// defaultMaxConnections idle connections take about 140 MiB.
	defaultMaxConnections = 20_000
	// defaultReadTimeout is for a whole request, and defaultReadHeaderTimeout for its headers, which are short.
	defaultReadTimeout       = time.Minute
	defaultReadHeaderTimeout = 10 * time.Second
	// defaultCorrelationIDHeader is the header from which Tasker reads an id.
	defaultCorrelationIDHeader = "X-Correlation-ID"
)

// NewFactory makes the factory of the receiver tasker_events.
func NewFactory() receiver.Factory {
	return xreceiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		xreceiver.WithLogs(createLogs, metadata.LogsStability),
		xreceiver.WithDeprecatedTypeAlias(metadata.DeprecatedType),
	)
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.MaxRequestBodySize = defaultMaxBodySize
	server.ReadTimeout = defaultReadTimeout
	server.ReadHeaderTimeout = defaultReadHeaderTimeout
	limits := wire.DefaultLimits()
	return &Config{
		ServerConfig:   server,
		Path:           defaultPath,
		OTLPPath:       defaultOTLPPath,
		HealthPath:     defaultHealthPath,
		DefaultService: wire.DefaultService,

		CorrelationIDHeader: defaultCorrelationIDHeader,
		LogRecords:          recordsAuto,
		Payload:             PayloadConfig{Decode: decodeAll},

		MaxInFlightBytes: defaultMaxInFlight,
		MaxConnections:   defaultMaxConnections,
		MaxItems:         limits.MaxItems,
		MaxItemBytes:     limits.MaxItemBytes,
		MaxDepth:         limits.MaxDepth,
		MaxAttributes:    limits.MaxAttributes,
		MaxValueBytes:    limits.MaxValueBytes,
	}
}

func createLogs(_ context.Context, settings receiver.Settings, config component.Config, next consumer.Logs) (receiver.Logs, error) {
	return newReceiver(config.(*Config), settings, next)
}
