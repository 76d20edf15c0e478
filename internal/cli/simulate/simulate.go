// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// Settings of a simulation.
type Settings struct {
	Config Config
	// Directory, if set, is where metrics.csv, traces.csv and logs.csv are written, unless they would be empty.
	Directory string
	// Service is that of events without one.
	Service string
	// Expect, if not nil, is compared with the result.
	Expect *Expectations
	// Log receives the components' warnings.
	Log *zap.Logger
	// Refused is called for each item that cannot be decoded.
	Refused func(where, field, reason, remedy string)
}

// Result is the output for the events.
type Result struct {
	Accepted int `json:"accepted_events"`
	Refused  int `json:"refused_events"`
	// Spans are counted by name.
	Spans []Spans `json:"spans"`
	// Records are structured log records, counted by event.
	Records []Count `json:"records"`
	Metrics []Row   `json:"metrics"`
	// Losses are what the components refused, dropped or cut.
	Losses []Loss `json:"losses"`
	// Mismatches are the unmet expectations; nil if there are no expectations.
	Mismatches []Mismatch `json:"mismatches,omitempty"`
}

// Spans counts the spans of one name.
type Spans struct {
	Name  string `json:"name"`
	Spans int    `json:"spans"`
	// Incomplete is the number of spans whose end no event announced.
	Incomplete int `json:"incomplete"`
	// Status is the number of spans by outcome.
	Status map[string]int `json:"status"`
}

// Count is a number of something with a name.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Row is a row of the table of metrics.
type Row struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
}

// Run sends the source's events to the components and stops them. Open tasks are then emitted as incomplete, as when a collector
// without storage stops.
//
//	event_router ─┬─► routed_events ─► span_hierarchy ─┬─► table of spans
//	              │                                    ├─► span_to_metrics ─► table of metrics
//	              │                                    └─► routed_events ─► table of records
//	              ├─► span_to_metrics ─► table of metrics
//	              └─► routed_events ─► table of records
func Run(ctx context.Context, source offline.Source, settings Settings) (*Result, error) {
	if settings.Directory != "" {
		if err := os.MkdirAll(settings.Directory, 0o755); err != nil {
			return nil, err
		}
	}
	reader := sdkmetric.NewManualReader()
	b := builder{ctx: ctx, settings: settings, results: newResults(&settings), telemetry: component.TelemetrySettings{
		Logger:         settings.Log,
		TracerProvider: noop.NewTracerProvider(),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Resource:       pcommon.NewResource(),
	}}
	first := b.build()
	if b.err != nil {
		return nil, b.err
	}
	for i, c := range slices.Backward(b.components) { // destinations before their senders
		if err := c.Start(ctx, host{}); err != nil {
			return nil, errors.Join(err, b.stop(b.components[i+1:]))
		}
	}
	result := &b.results.result
	var err error
	result.Accepted, result.Refused, err = offline.Decode(ctx, source, offline.DecodeOptions{
		Service: settings.Service, Now: time.Now, Refused: settings.Refused,
		Logs: func(logs plog.Logs) error { return first.ConsumeLogs(origin.Mark(ctx, origin.Decoder), logs) },
	})
	losses := newLosses()
	losses.collect(ctx, reader) // some counters end with their components
	err = errors.Join(err, b.stop(b.components))
	losses.collect(ctx, reader)
	result.Losses = losses.list()
	err = errors.Join(err, b.results.finish())
	for _, loss := range result.Losses {
		settings.Expect.check(sectionLosses, rowOf(loss))
	}
	result.Mismatches = settings.Expect.mismatches(result.Accepted, result.Refused)
	return result, err
}

type host struct{}

// GetExtensions implements component.Host.
func (host) GetExtensions() map[component.ID]component.Component { return nil }

// builder creates the components and lists them in the order of the data flow. It keeps errors.
type builder struct {
	ctx        context.Context
	settings   Settings
	telemetry  component.TelemetrySettings
	components []component.Component
	results    *results
	err        error
}

func (b *builder) build() consumer.Logs {
	metricTable, metricErr := consumer.NewMetrics(b.results.metrics)
	recordTable, recordErr := consumer.NewLogs(b.results.records)
	if b.err = errors.Join(metricErr, recordErr); b.err != nil {
		return nil
	}

	measuring := spantometrics.NewFactory() // inputs of one factory share their series
	measured := connector.Settings{ID: component.NewID(measuring.Type()), TelemetrySettings: b.telemetry}
	fromSpans := keep(measuring.CreateTracesToMetrics(b.ctx, measured, b.settings.Config.Metrics, metricTable))(b, "span_to_metrics")
	fromEvents := keep(measuring.CreateLogsToMetrics(b.ctx, measured, b.settings.Config.Metrics, metricTable))(b, "span_to_metrics")
	if b.err != nil {
		return nil
	}

	converting := routedevents.NewFactory() // inputs of one factory share the recorded facts
	converted := connector.Settings{ID: component.NewID(converting.Type()), TelemetrySettings: b.telemetry}
	outcomes := keep(converting.CreateTracesToLogs(b.ctx, converted, b.settings.Config.Events, recordTable))(b, "routed_events")
	toRecords := keep(converting.CreateLogsToLogs(b.ctx, converted, b.settings.Config.Events, recordTable))(b, "routed_events")
	if b.err != nil {
		return nil
	}

	assembling := spanhierarchy.NewFactory()
	finished, err := consumer.NewTraces(toEach(ptrace.NewTraces, b.results.spans, fromSpans.ConsumeTraces, outcomes.ConsumeTraces))
	b.err = err
	hierarchy := keep(assembling.CreateTraces(b.ctx,
		processor.Settings{ID: component.NewID(assembling.Type()), TelemetrySettings: b.telemetry}, b.settings.Config.Hierarchy, finished))(b, "span_hierarchy")
	if b.err != nil {
		return nil
	}

	toSpans := keep(converting.CreateLogsToTraces(b.ctx, converted, b.settings.Config.Events, hierarchy))(b, "routed_events")
	if b.err != nil {
		return nil
	}

	routed, err := consumer.NewLogs(toEach(plog.NewLogs, toSpans.ConsumeLogs, fromEvents.ConsumeLogs, toRecords.ConsumeLogs))
	b.err = err
	routing := eventrouter.NewFactory()
	return keep(routing.CreateLogs(b.ctx,
		processor.Settings{ID: component.NewID(routing.Type()), TelemetrySettings: b.telemetry}, b.settings.Config.Router, routed))(b, "event_router")
}

// keep returns a function that adds a component to a builder, before its destinations.
func keep[C component.Component](c C, err error) func(b *builder, name string) C {
	return func(b *builder, name string) C {
		if err != nil {
			b.err = errors.Join(b.err, fmt.Errorf("%s: %w", name, err))
		} else {
			b.components = slices.Insert(b.components, 0, component.Component(c))
		}
		return c
	}
}

// stop stops components, senders before destinations.
func (b *builder) stop(components []component.Component) error {
	var errs []error
	for _, c := range components {
		errs = append(errs, c.Shutdown(context.WithoutCancel(b.ctx)))
	}
	return errors.Join(errs...)
}

// toEach returns a function that passes a copy to each consumer.
func toEach[T interface{ CopyTo(T) }](empty func() T, consume ...func(context.Context, T) error) func(context.Context, T) error {
	return func(ctx context.Context, data T) error {
		var errs []error
		for _, next := range consume {
			clone := empty()
			data.CopyTo(clone)
			errs = append(errs, next(ctx, clone))
		}
		return errors.Join(errs...)
	}
}
