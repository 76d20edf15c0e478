// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// Settings of a simulation.
type Settings struct {
	Config Config
	// Directory gets metrics.csv, traces.csv and logs.csv, as far as there is something for them.
	Directory string
	// Service of events that name none.
	Service string
	// Expect, unless it is nil, is compared with the result.
	Expect *Expectations
	// Log receives the components' warnings.
	Log *zap.Logger
	// Refused is called for every item that cannot be decoded.
	Refused func(where, field, reason, remedy string)
}

// Result is what became of the events.
type Result struct {
	Accepted int `json:"accepted_events"`
	Refused  int `json:"refused_events"`
	// Spans, by name.
	Spans []Spans `json:"spans"`
	// Records are structured log records, by event.
	Records []Count `json:"records"`
	Metrics []Row   `json:"metrics"`
	// Losses are what the components refused, dropped or cut.
	Losses []Loss `json:"losses"`
	// Mismatches are the expectations that were not met; nil if there were no expectations.
	Mismatches []Mismatch `json:"mismatches,omitempty"`
}

// Spans of one name.
type Spans struct {
	Name  string `json:"name"`
	Spans int    `json:"spans"`
	// Incomplete are those for whose end there was no event.
	Incomplete int `json:"incomplete"`
	// Status counts them by outcome.
	Status map[string]int `json:"status"`
}

// Count of something with a name.
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

// Run feeds the source's events to the components and ends them. What is still open then is emitted as incomplete, as at a
// collector's stop without storage.
//
//	event_router ─┬─► routed_events ─► span_hierarchy ─┬─► traces.csv
//	              │                                    ├─► span_to_metrics ─► metrics.csv
//	              │                                    └─► routed_events ─► logs.csv
//	              ├─► span_to_metrics
//	              └─► routed_events ─► logs.csv
func Run(ctx context.Context, source offline.Source, settings Settings) (*Result, error) {
	reader := sdkmetric.NewManualReader()
	b := builder{ctx: ctx, settings: settings, incomplete: &incomplete{spans: map[string]struct{}{}}, telemetry: component.TelemetrySettings{
		Logger:         settings.Log,
		TracerProvider: noop.NewTracerProvider(),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Resource:       pcommon.NewResource(),
	}}
	first := b.build()
	if b.err != nil {
		return nil, b.err
	}
	for i, c := range slices.Backward(b.components) { // receivers of data before those who send to them
		if err := c.Start(ctx, host{}); err != nil {
			return nil, errors.Join(err, b.stop(b.components[i+1:]))
		}
	}
	result := &Result{}
	var err error
	result.Accepted, result.Refused, err = offline.Decode(ctx, source, offline.DecodeOptions{
		Service: settings.Service, Now: time.Now, Refused: settings.Refused,
		Logs: func(logs plog.Logs) error { return first.ConsumeLogs(origin.Mark(ctx, origin.Decoder), logs) },
	})
	losses := newLosses()
	losses.collect(ctx, reader) // some counters end with their component
	err = errors.Join(err, b.stop(b.components))
	losses.collect(ctx, reader)
	result.Losses = losses.list()
	err = errors.Join(err, result.readTables(&settings, b.incomplete))
	result.sort()
	for _, loss := range result.Losses {
		settings.Expect.see(sectionLosses, rowOf(loss))
	}
	result.Mismatches = settings.Expect.mismatches(result.Accepted, result.Refused)
	return result, err
}

type host struct{}

// GetExtensions implements component.Host.
func (host) GetExtensions() map[component.ID]component.Component { return nil }

// builder makes the components, in the order in which data goes through them. The first error stays.
type builder struct {
	ctx        context.Context
	settings   Settings
	telemetry  component.TelemetrySettings
	components []component.Component
	incomplete *incomplete
	err        error
}

func (b *builder) build() consumer.Logs {
	csvConfig := taskercsv.NewFactory().CreateDefaultConfig().(*taskercsv.Config)
	csvConfig.Path = filepath.Join(b.settings.Directory, "{signal}.csv")
	csvConfig.Rotation.MaxMegabytes = 1 << 20 // one file, whatever its size
	csvSettings := exporter.Settings{ID: component.NewID(taskercsv.NewFactory().Type()), TelemetrySettings: b.telemetry}
	metricsTable := keep(taskercsv.NewFactory().CreateMetrics(b.ctx, csvSettings, csvConfig))(b, "tasker_csv")
	spanTable := keep(taskercsv.NewFactory().CreateTraces(b.ctx, csvSettings, csvConfig))(b, "tasker_csv")
	recordTable := keep(taskercsv.NewFactory().CreateLogs(b.ctx, csvSettings, csvConfig))(b, "tasker_csv")
	if b.err != nil {
		return nil
	}

	measuring := spantometrics.NewFactory() // its inputs of one factory share their series
	measured := connector.Settings{ID: component.NewID(measuring.Type()), TelemetrySettings: b.telemetry}
	fromSpans := keep(measuring.CreateTracesToMetrics(b.ctx, measured, b.settings.Config.Metrics, metricsTable))(b, "span_to_metrics")
	fromEvents := keep(measuring.CreateLogsToMetrics(b.ctx, measured, b.settings.Config.Metrics, metricsTable))(b, "span_to_metrics")
	if b.err != nil {
		return nil
	}

	converting := routedevents.NewFactory() // its inputs of one factory share which facts are recorded
	converted := connector.Settings{ID: component.NewID(converting.Type()), TelemetrySettings: b.telemetry}
	outcomes := keep(converting.CreateTracesToLogs(b.ctx, converted, b.settings.Config.Events, recordTable))(b, "routed_events")
	toRecords := keep(converting.CreateLogsToLogs(b.ctx, converted, b.settings.Config.Events, recordTable))(b, "routed_events")
	if b.err != nil {
		return nil
	}

	assembling := spanhierarchy.NewFactory()
	finished, err := consumer.NewTraces(toEach(cloneTraces,
		spanTable.ConsumeTraces, fromSpans.ConsumeTraces, outcomes.ConsumeTraces, b.incomplete.consume))
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

	routed, err := consumer.NewLogs(toEach(cloneLogs, toSpans.ConsumeLogs, fromEvents.ConsumeLogs, toRecords.ConsumeLogs))
	b.err = err
	routing := eventrouter.NewFactory()
	return keep(routing.CreateLogs(b.ctx,
		processor.Settings{ID: component.NewID(routing.Type()), TelemetrySettings: b.telemetry}, b.settings.Config.Router, routed))(b, "event_router")
}

// keep takes a component that was made before those that send to it.
func keep[C component.Component](c C, err error) func(b *builder, name string) C {
	return func(b *builder, name string) C {
		if err != nil {
			b.err = errors.Join(b.err, fmt.Errorf("%s: %w", name, err))
			return c
		}
		b.components = slices.Insert(b.components, 0, component.Component(c))
		return c
	}
}

// stop ends components, senders before receivers.
func (b *builder) stop(components []component.Component) error {
	var errs []error
	for _, c := range components {
		errs = append(errs, c.Shutdown(context.WithoutCancel(b.ctx)))
	}
	return errors.Join(errs...)
}

// incomplete holds the ids of the spans for whose end there was no event.
type incomplete struct {
	mu    sync.Mutex // the shards of span_hierarchy send at once
	spans map[string]struct{}
}

func (n *incomplete) has(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, is := n.spans[id]
	return is
}

func (n *incomplete) consume(_ context.Context, td ptrace.Traces) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if v, found := span.Attributes().Get(lifecycle.AttrIncomplete); found && v.Bool() {
					n.spans[span.SpanID().String()] = struct{}{}
				}
			}
		}
	}
	return nil
}

// toEach returns a function that hands a copy to each of several consumers.
func toEach[T any](clone func(T) T, consume ...func(context.Context, T) error) func(context.Context, T) error {
	return func(ctx context.Context, data T) error {
		var errs []error
		for _, next := range consume {
			errs = append(errs, next(ctx, clone(data)))
		}
		return errors.Join(errs...)
	}
}

func cloneTraces(td ptrace.Traces) ptrace.Traces {
	clone := ptrace.NewTraces()
	td.CopyTo(clone)
	return clone
}

func cloneLogs(ld plog.Logs) plog.Logs {
	clone := plog.NewLogs()
	ld.CopyTo(clone)
	return clone
}

// readTables reads the summary off the tables.
func (r *Result) readTables(settings *Settings, incomplete *incomplete) error {
	directory := settings.Directory
	r.Spans, r.Records, r.Metrics = []Spans{}, []Count{}, []Row{}
	return errors.Join(
		readTable(filepath.Join(directory, "traces.csv"), func(row map[string]string) {
			i := slices.IndexFunc(r.Spans, func(s Spans) bool { return s.Name == row["name"] })
			if i < 0 {
				i = len(r.Spans)
				r.Spans = append(r.Spans, Spans{Name: row["name"], Status: map[string]int{}})
			}
			r.Spans[i].Spans++
			row["incomplete"] = strconv.FormatBool(incomplete.has(row["span_id"]))
			if row["incomplete"] == "true" {
				r.Spans[i].Incomplete++
			}
			settings.Expect.see(sectionSpans, row)
			if row["status"] != "" {
				r.Spans[i].Status[row["status"]]++
			}
		}),
		readTable(filepath.Join(directory, "logs.csv"), func(row map[string]string) {
			i := slices.IndexFunc(r.Records, func(c Count) bool { return c.Name == row["event"] })
			if i < 0 {
				i = len(r.Records)
				r.Records = append(r.Records, Count{Name: row["event"]})
			}
			r.Records[i].Count++
			settings.Expect.see(sectionRecords, row)
		}),
		readTable(filepath.Join(directory, "metrics.csv"), func(row map[string]string) {
			metric := Row{Name: row["name"], Type: row["type"], Value: row["value"], Labels: map[string]string{}}
			for column, cell := range row {
				if cell != "" && !slices.Contains([]string{"timestamp", "name", "type", "value"}, column) {
					metric.Labels[column] = cell
				}
			}
			r.Metrics = append(r.Metrics, metric)
			settings.Expect.see(sectionMetrics, row)
		}),
	)
}

func (r *Result) sort() {
	slices.SortFunc(r.Spans, func(a, b Spans) int { return levelOf(a.Name) - levelOf(b.Name) })
	slices.SortFunc(r.Records, func(a, b Count) int { return b.Count - a.Count })
}

// levelOf orders spans as the tree does.
func levelOf(name string) int {
	return slices.Index([]string{
		lifecycle.SpanTask, lifecycle.SpanQueued, lifecycle.SpanOrchestration, lifecycle.SpanDependency, lifecycle.SpanBatch,
		lifecycle.SpanStep, lifecycle.SpanHandler, lifecycle.SpanQuery, lifecycle.SpanBackoff, lifecycle.SpanFinalization,
	}, name)
}

// readTable gives each row by its columns; a table that is not there has no rows.
func readTable(path string, give func(row map[string]string)) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	in := csv.NewReader(file)
	rows, err := in.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil
	}
	for _, cells := range rows[1:] {
		row := make(map[string]string, len(cells))
		for i, cell := range cells {
			row[rows[0][i]] = cell
		}
		give(row)
	}
	return nil
}
