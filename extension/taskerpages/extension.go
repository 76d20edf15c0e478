// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/extension/taskerpages/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

// pages is the extension. Requests query the components, or use results not older than refresh_interval.
type pages struct {
	config    *Config
	settings  component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	about     about
	now       func() time.Time

	sources  sources
	statuses statuses
	history  history
	own      ownMetrics
	tasks    taskCache

	viewers atomic.Int64    // live pages
	running context.Context // until Shutdown
	stop    func()

	// server is nil unless the pages are served.
	server  *http.Server
	address string
	serving sync.WaitGroup
}

// about identifies the collector.
type about struct{ Instance, Version string }

var (
	_ livedata.Registry       = (*pages)(nil)
	_ componentstatus.Watcher = (*pages)(nil)
)

func newPages(set extension.Settings, cfg *Config) (*pages, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create the telemetry of tasker_pages: %w", err)
	}
	p := &pages{
		config: cfg, settings: set.TelemetrySettings, telemetry: telemetry, now: time.Now,
		about: about{Version: set.BuildInfo.Version},
	}
	if instance, ok := set.Resource.Attributes().Get("service.instance.id"); ok {
		p.about.Instance = instance.AsString()
	}
	p.running, p.stop = context.WithCancel(context.Background())
	p.own.address = cfg.OwnMetrics
	err = telemetry.RegisterExtensionTaskerPagesViewersCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(p.viewers.Load())
		return nil
	})
	if err != nil {
		telemetry.Shutdown()
		return nil, fmt.Errorf("register the telemetry of tasker_pages: %w", err)
	}
	return p, nil
}

// Start serves the pages. If it fails, nothing remains running.
func (p *pages) Start(ctx context.Context, host component.Host) error {
	settings := p.config.ServerConfig // ToServer modifies it
	server, err := settings.ToServer(ctx, host.GetExtensions(), p.settings, p.handler())
	if err != nil {
		return fmt.Errorf("tasker_pages: create the HTTP server: %w", err)
	}
	listener, err := settings.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("tasker_pages: listen on 'endpoint' %q: %w", settings.NetAddr.Endpoint, err)
	}
	p.server, p.address = server, listener.Addr().String()
	scheme := "http"
	if settings.TLS.HasValue() {
		scheme = "https"
	}
	p.settings.Logger.Info("Live pages of the tasks", zap.String("address", scheme+"://"+listener.Addr().String()))
	p.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("tasker_pages: serve the pages: %w", err)))
		}
	})
	p.serving.Go(p.sample)
	return nil
}

// Shutdown ends live pages and waits for pending requests.
func (p *pages) Shutdown(ctx context.Context) error {
	p.stop()
	p.telemetry.Shutdown()
	if p.server == nil {
		return nil
	}
	err := p.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("tasker_pages: wait for requests: %w", err), p.server.Close())
	}
	p.serving.Wait()
	p.server = nil
	return err
}

// sampleInterval is the interval between points of the overview's charts.
const sampleInterval = 10 * time.Second

// ownMetricsSamples is the number of samples after which the internal metrics are read even without viewers, so that recent
// increases are known.
const ownMetricsSamples = 6

// sample counts the open tasks for the charts until the extension stops.
func (p *pages) sample() {
	n := 0
	periodic.Run(p.running, sampleInterval, func() {
		p.history.add(countStates(p.openTasks("").tasks))
		if n%ownMetricsSamples == 0 {
			p.own.refresh(context.Background(), p.now())
		}
		n++
	})
}

func (p *pages) refused(ctx context.Context, reason string) {
	counter.Add(ctx, p.telemetry.ExtensionTaskerPagesRefused, 1, counter.With("reason", reason))
}
