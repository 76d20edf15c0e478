// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package inprocess

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// settings are the non-default settings of the components.
type settings struct{ hierarchy, metrics map[string]any }

// pipeline connects the components from the router to the metrics, as a collector does.
type pipeline struct {
	entry      consumer.Logs
	components []component.Component
}

// newPipeline starts a pipeline that sends its metrics to a sink.
func newPipeline(t *testing.T, with settings, sink consumer.Metrics) *pipeline {
	t.Helper()
	p := &pipeline{}
	ctx := context.Background()

	measure := spantometrics.NewFactory()
	measuring := configured(t, measure, with.metrics)
	ofConnector := func(factory connector.Factory) connector.Settings {
		return connectortest.NewNopSettings(factory.Type())
	}
	ofProcessor := func(factory processor.Factory) processor.Settings {
		return processortest.NewNopSettings(factory.Type())
	}
	spans, err := measure.CreateTracesToMetrics(ctx, ofConnector(measure), measuring, sink)
	require.NoError(t, err)
	events, err := measure.CreateLogsToMetrics(ctx, ofConnector(measure), measuring, sink)
	require.NoError(t, err)

	assemble := spanhierarchy.NewFactory()
	trees, err := assemble.CreateTraces(ctx, ofProcessor(assemble), configured(t, assemble, with.hierarchy), spans)
	require.NoError(t, err)
	convert := routedevents.NewFactory()
	eventSpans, err := convert.CreateLogsToTraces(ctx, ofConnector(convert), configured(t, convert, nil), trees)
	require.NoError(t, err)

	route := eventrouter.NewFactory()
	router, err := route.CreateLogs(ctx, ofProcessor(route), configured(t, route, nil), fanOut{eventSpans, events})
	require.NoError(t, err)

	p.entry, p.components = router, []component.Component{spans, events, trees, eventSpans, router}
	for _, c := range p.components {
		require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
	}
	return p
}

// stop stops the components in data flow order.
func (p *pipeline) stop(t *testing.T) {
	t.Helper()
	for i := len(p.components) - 1; i >= 0; i-- {
		require.NoError(t, p.components[i].Shutdown(context.Background()))
	}
}

func configured(t *testing.T, factory component.Factory, with map[string]any) component.Config {
	t.Helper()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(with).Unmarshal(cfg))
	if validated, ok := cfg.(interface{ Validate() error }); ok {
		require.NoError(t, validated.Validate())
	}
	return cfg
}

// fanOut passes logs to several consumers that do not mutate them.
type fanOut []consumer.Logs

func (f fanOut) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (f fanOut) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	ld.MarkReadOnly()
	for _, next := range f {
		if err := next.ConsumeLogs(ctx, ld); err != nil {
			return err
		}
	}
	return nil
}
