// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/export"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
)

// Default addresses of a collector.
const (
	DefaultTelemetry = "http://localhost:8888/metrics"
	DefaultHealth    = "http://localhost:13133/health/status"
)

// Settings are the endpoints to query.
type Settings struct {
	// Telemetry is the endpoint of the collector's internal metrics.
	Telemetry string
	// Health is the endpoint of healthcheckv2; empty to omit it.
	Health string
	// Exported is the file written by `taskerotel export`; empty if none.
	Exported string
	Scrape   scrape.Settings
	// SecondReading is the wait before the second reading of an exporter that has something to send but has sent nothing
	// for a while.
	SecondReading time.Duration
	// Now is for tests; nil means the real clock.
	Now func() time.Time
}

// DefaultSettings returns the defaults of the command line.
func DefaultSettings() Settings {
	return Settings{Telemetry: DefaultTelemetry, Health: DefaultHealth, Scrape: scrape.DefaultSettings(), SecondReading: 5 * time.Second}
}

// Status is the state of a collector.
type Status struct {
	At        time.Time `json:"at"`
	Version   string    `json:"version"`
	Instance  string    `json:"instance"`
	StartedAt time.Time `json:"started_at,omitzero"`
	Uptime    float64   `json:"uptime_seconds"`
	Memory    int64     `json:"memory_bytes"`

	Health *Health `json:"health,omitempty"`
	// HealthError is why the health check could not be queried.
	HealthError string `json:"health_error,omitempty"`

	State     []State    `json:"state"`
	Stores    []Store    `json:"stores,omitempty"`
	Work      Work       `json:"work"`
	Exporters []Exporter `json:"exporters"`
	Losses    []Loss     `json:"losses"`

	LastFlush      time.Time `json:"last_flush,omitzero"`
	LastTableWrite time.Time `json:"last_table_write,omitzero"`
	LastExport     time.Time `json:"last_export,omitzero"`
	ExportError    string    `json:"export_error,omitempty"`
}

// Work is what the components are processing.
type Work struct {
	OpenTasks    int64 `json:"open_tasks"`
	HeldEvents   int64 `json:"held_events"`
	HeldBytes    int64 `json:"held_bytes"`
	PendingSpans int64 `json:"pending_spans"`
	KnownEvents  int64 `json:"known_events"`
	Series       int64 `json:"series"`
	ActiveIDs    int64 `json:"active_ids"`
}

// Healthy reports whether the health check is fine, no component fails to write its state or has lost part of it, and no
// exporter fails.
func (s *Status) Healthy() bool {
	return s.HealthyApartFromExporters() && len(s.FailingExporters()) == 0 && len(s.StateProblems()) == 0
}

// HealthyApartFromExporters is Healthy for a check that restarts the collector: it ignores what a restart does not repair,
// destinations and lost state.
func (s *Status) HealthyApartFromExporters() bool {
	for _, state := range s.State {
		if state.Failing {
			return false
		}
	}
	for _, store := range s.Stores {
		if store.Failing {
			return false
		}
	}
	return s.Health == nil || s.Health.Healthy
}

// StateProblems returns the state lost since startup, and the failing files.
func (s *Status) StateProblems() []string { return problems(s.State, s.Stores) }

// Read queries a collector. The error is an [UnreachableError] if its metrics cannot be read, else it reports invalid
// settings. A failed query of the health check is part of the status.
func Read(ctx context.Context, settings Settings) (*Status, error) {
	client, o, err := settings.read(ctx)
	if err != nil {
		return nil, err
	}
	s := &Status{
		At: o.at.UTC(), Version: o.resource["service_version"], Instance: o.resource["service_instance_id"],
		Memory: o.number("process_memory_rss"),
		State:  o.states(), Stores: o.stores(), Losses: o.losses(),
		Work: Work{
			OpenTasks:    o.number("processor_span_hierarchy_open_tasks"),
			HeldEvents:   o.number("processor_span_hierarchy_held_events"),
			HeldBytes:    o.number("processor_span_hierarchy_held_bytes"),
			PendingSpans: o.number("processor_span_hierarchy_pending_spans"),
			KnownEvents:  o.number("processor_event_router_known_events"),
			Series:       o.number("connector_span_to_metrics_series"),
			ActiveIDs:    o.number("connector_span_to_metrics_active_ids"),
		},
		LastFlush:      o.latest("connector_span_to_metrics_last_flush"),
		LastTableWrite: o.latest("exporter_tasker_csv_last_write"),
	}
	if uptime, found := o.value("process_uptime"); found {
		s.Uptime, s.StartedAt = uptime, s.At.Add(-time.Duration(uptime*float64(time.Second)))
	}
	if s.Exporters, err = readExporters(ctx, client, settings, o); err != nil {
		return nil, err
	}
	if settings.Health != "" {
		if s.Health, err = readHealth(ctx, client, settings.Health); err != nil {
			s.HealthError = err.Error()
		}
	}
	if settings.Exported != "" {
		switch s.LastExport, err = export.LastExport(settings.Exported); {
		case err != nil:
			s.ExportError = err.Error()
		case s.LastExport.IsZero():
			s.ExportError = "never, to " + settings.Exported
		}
	}
	return s, nil
}

// read checks the settings, completes them, and reads the collector's own metrics.
func (s *Settings) read(ctx context.Context) (client *scrape.Client, o *own, err error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	if client, err = scrape.New(s.Scrape); err != nil {
		return nil, nil, err
	}
	if _, err := scrape.One(s.Telemetry); err != nil {
		return nil, nil, fmt.Errorf("--telemetry: %w", err)
	}
	o, err = readOwn(ctx, client, s.Telemetry, s.Now)
	return client, o, err
}
