// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/xconnector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/tasker-otel/otelcol-tasker/connector/internal/shared"
	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadata"
)

// NewFactory makes the factory of routed_events. The inputs of one configuration that make records share their state.
func NewFactory() connector.Factory {
	recording := shared.NewInstances[*Config, *facts]()
	return xconnector.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		xconnector.WithLogsToTraces(createLogsToTraces, metadata.LogsToTracesStability),
		xconnector.WithLogsToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
			in, err := newInput(recording, set, cfg)
			if err != nil {
				return nil, err
			}
			in.facts.events = true
			return &logsInput{*in, next}, nil
		}, metadata.LogsToLogsStability),
		xconnector.WithTracesToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Traces, error) {
			in, err := newInput(recording, set, cfg)
			if err != nil {
				return nil, err
			}
			in.facts.spans = true
			return &spansInput{*in, next}, nil
		}, metadata.TracesToLogsStability),
		xconnector.WithDeprecatedTypeAlias(metadata.DeprecatedType),
	)
}

func createLogsToTraces(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Traces) (connector.Logs, error) {
	telemetry, err := newTelemetry(set, "traces")
	if err != nil {
		return nil, err
	}
	config := cfg.(*Config)
	c := &toTraces{next: next, telemetry: telemetry, whole: config.EventAttributes != attributesTree}
	if config.EventSpans == spansBatched {
		c.batcher = newBatcher()
	}
	return c, nil
}

// input is the input of one signal to facts.
type input struct {
	facts *facts
	close func(context.Context) error
}

func newInput(recording *shared.Instances[*Config, *facts], set connector.Settings, cfg component.Config) (*input, error) {
	config := cfg.(*Config)
	f, release, err := recording.Acquire(config, func() (*facts, error) { return newFacts(config, set) })
	if err != nil {
		return nil, err
	}
	var once sync.Once
	return &input{facts: f, close: func(ctx context.Context) (err error) {
		once.Do(func() {
			if release() {
				err = f.stop(ctx)
			}
		})
		return err
	}}, nil
}

// Start restores, with the first input, the facts that an earlier process has recorded.
func (i *input) Start(ctx context.Context, host component.Host) error {
	return i.facts.start(ctx, host)
}

// Shutdown releases the storage with the last input: until then the other may still receive what earlier components held. A second
// call does nothing.
func (i *input) Shutdown(ctx context.Context) error { return i.close(ctx) }

// Capabilities reports that the input is only read.
func (*input) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }
