// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/admission"
	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/otlpcost"
)

// errSize is the error of a request that alone would take too much memory.
var errSize = errors.New("it would take too much memory when it is decoded: send it in smaller parts")

// limits is the extension. An instance bounds all receivers that name it.
type limits struct {
	config    *Config
	estimator *otlpcost.Estimator
	bodies    admission.Buffers
	room      *admission.Room
	receiving *receiving
	builder   *metadata.TelemetryBuilder
	logger    *zap.Logger

	// files is nil unless the open files are watched.
	files    *files
	stop     func()
	watching sync.WaitGroup
}

var (
	_ extension.Extension            = (*limits)(nil)
	_ extensionmiddleware.HTTPServer = (*limits)(nil)
	_ extensionmiddleware.GRPCServer = (*limits)(nil)
)

func newLimits(set component.TelemetrySettings, config *Config) (*limits, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, fmt.Errorf("building the extension's own telemetry: %w", err)
	}
	l := &limits{
		config:    config,
		estimator: otlpcost.New(config.MaxDepth),
		room:      admission.New(int64(config.MaxMemoryMiB) << 20),
		receiving: newReceiving(config.MaxReceiving),
		builder:   builder,
		logger:    set.Logger,
	}
	// Start from zero, so that the first refusal is an increase.
	for _, transport := range []string{"grpc", "http"} {
		for _, why := range []error{otlpcost.ErrDepth, errSize, admission.ErrBusy, admission.ErrSlow} {
			l.count(transport, reasonOf(why), 0)
		}
	}
	builder.ExtensionOtlpLimitsClosedConnections.Add(context.Background(), 0)
	err = builder.RegisterExtensionOtlpLimitsInFlightBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(l.room.InFlight())
		return nil
	})
	if err != nil {
		builder.Shutdown()
		return nil, fmt.Errorf("building the extension's own telemetry: %w", err)
	}
	return l, nil
}

// Start implements component.Component.
func (l *limits) Start(context.Context, component.Host) error { return l.watchFiles() }

// Shutdown implements component.Component. Requests in progress keep their memory share until they end.
func (l *limits) Shutdown(context.Context) error {
	err := l.unwatchFiles()
	l.builder.Shutdown()
	return err
}

// reserve reserves memory for a received request, or returns why it cannot.
func (l *limits) reserve(share *admission.Body, estimate int64, err error) error {
	switch {
	case err != nil:
		return err
	case estimate > int64(l.config.MaxRequestMemoryMiB)<<20:
		return errSize
	case !share.Claim(estimate):
		return admission.ErrBusy
	}
	return nil
}

// refused counts a request, and logs it if the sender will not retry.
func (l *limits) refused(transport string, why error) {
	l.count(transport, reasonOf(why), 1)
	if errors.Is(why, otlpcost.ErrDepth) || errors.Is(why, errSize) {
		l.logger.Warn("An OTLP request was permanently rejected", zap.String("transport", transport), zap.Error(why))
	}
}

// reasonOf returns the label of an error.
func reasonOf(why error) string {
	switch {
	case errors.Is(why, otlpcost.ErrDepth):
		return "depth"
	case errors.Is(why, errSize):
		return "size"
	case errors.Is(why, admission.ErrSlow):
		return "slow"
	}
	return "busy"
}

func (l *limits) count(transport, reason string, n int64) {
	l.builder.ExtensionOtlpLimitsRefusedRequests.Add(context.Background(), n, counter.With("transport", transport, "reason", reason)...)
}
