// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
)

// stoppedOnce makes a second Shutdown a no-op: exporterhelper's retry sender panics then, which violates the contract of
// component.Component.
type stoppedOnce struct {
	inner component.Component
	once  sync.Once
	err   error
}

// Shutdown stops the exporter at the first call and returns the same result afterwards.
func (s *stoppedOnce) Shutdown(ctx context.Context) error {
	s.once.Do(func() { s.err = s.inner.Shutdown(ctx) })
	return s.err
}

type (
	metricsExporter struct {
		exporter.Metrics
		stop stoppedOnce
	}
	tracesExporter struct {
		exporter.Traces
		stop stoppedOnce
	}
	logsExporter struct {
		exporter.Logs
		stop stoppedOnce
	}
)

// Shutdown implements component.Component.
func (e *metricsExporter) Shutdown(ctx context.Context) error { return e.stop.Shutdown(ctx) }

// Shutdown implements component.Component.
func (e *tracesExporter) Shutdown(ctx context.Context) error { return e.stop.Shutdown(ctx) }

// Shutdown implements component.Component.
func (e *logsExporter) Shutdown(ctx context.Context) error { return e.stop.Shutdown(ctx) }
