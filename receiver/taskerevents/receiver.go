// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/admission"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// transport is the kind of network that receiverhelper names in metrics.
const transport = "http"

// eventsReceiver listens for events. The collector starts and stops it; in between, requests run concurrently.
type eventsReceiver struct {
	config    *Config
	settings  component.TelemetrySettings
	builder   *metadata.TelemetryBuilder
	telemetry ownTelemetry
	observed  *receiverhelper.ObsReport
	decoder   *wire.Decoder
	next      consumer.Logs
	bodies    admission.Buffers
	room      *admission.Room

	connections *connections // of the server

	// server and listener are nil unless the receiver runs.
	server   *http.Server
	listener net.Listener
	serving  sync.WaitGroup
}

func newReceiver(config *Config, settings receiver.Settings, next consumer.Logs) (*eventsReceiver, error) {
	observed, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: settings.ID, Transport: transport, ReceiverCreateSettings: settings,
	})
	if err != nil {
		return nil, fmt.Errorf("observing the receiver: %w", err)
	}
	builder, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("building the receiver's own telemetry: %w", err)
	}
	r := &eventsReceiver{
		config:    config,
		settings:  settings.TelemetrySettings,
		builder:   builder,
		telemetry: newOwnTelemetry(builder),
		observed:  observed,
		decoder: wire.NewDecoder(wire.Settings{
			DefaultService: config.DefaultService,
			LeaveOut:       lifecycle.BulkyPayloadKeysBut(config.Payload.Include),
			Unused:         config.Payload.unused(),
			Batch:          config.LogRecords == recordsBatched, // auto is batched if the converter eventbatches has set it
			Limits: wire.Limits{
				MaxItems: config.MaxItems, MaxItemBytes: config.MaxItemBytes, MaxDepth: config.MaxDepth,
				MaxAttributes: config.MaxAttributes, MaxValueBytes: config.MaxValueBytes,
			},
		}),
		next: next,
	}
	r.room = admission.New(config.MaxInFlightBytes)
	err = builder.RegisterReceiverTaskerEventsInFlightBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(r.room.InFlight())
		return nil
	})
	if err != nil {
		builder.Shutdown()
		return nil, fmt.Errorf("building the receiver's own telemetry: %w", err)
	}
	return r, nil
}

// Start listens. After an error nothing is left running.
func (r *eventsReceiver) Start(ctx context.Context, host component.Host) error {
	// ToServer writes defaults into the settings, which belong to the caller.
	settings := r.config.ServerConfig
	options := []confighttp.ToServerOption{confighttp.WithErrorHandler(r.refuseRequest)}
	if r.inflates("zstd") {
		options = append(options, confighttp.WithDecoder("zstd", newZstdReaders(settings.MaxRequestBodySize).open))
	}
	server, err := settings.ToServer(ctx, host.GetExtensions(), r.settings, r.handler(), options...)
	if err != nil {
		return fmt.Errorf("making the HTTP server: %w", err)
	}
	listener, err := settings.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listening on 'endpoint' %q: %w", settings.NetAddr.Endpoint, err)
	}
	server.Handler = r.answerLater(answerHealth(r.config.HealthPath, plainEncodings(server.Handler)))
	r.connections = newConnections(r.maxConnections(), func() { r.builder.ReceiverTaskerEventsClosedConnections.Add(context.Background(), 1) })
	server.ConnState = r.connections.changed
	server.RegisterOnShutdown(r.connections.closeWaiting)
	r.server, r.listener = server, listener
	r.settings.Logger.Info("Receiving Tasker's events",
		zap.Stringer("endpoint", listener.Addr()), zap.String("path", r.config.Path))
	r.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serving events: %w", err)))
		}
	})
	return nil
}

// maxConnections leaves half of the process's file limit to everything else.
func (r *eventsReceiver) maxConnections() int {
	most := r.config.MaxConnections
	if files := fileLimit(); files > 0 && most > files/2 {
		r.settings.Logger.Info("The process may have too few files for max_connections; half of them may be connections of this receiver",
			zap.Int("max_connections", most), zap.Int("files", files))
		most = max(1, files/2)
	}
	return most
}

// Shutdown stops listening and waits until the current requests are answered. If the context ends first, it aborts them: their
// senders get no answer and retry.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	r.builder.Shutdown()
	if r.server == nil {
		return nil
	}
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("waiting for requests: %w", err), r.server.Close())
	}
	r.serving.Wait()
	r.server, r.listener = nil, nil
	return err
}
