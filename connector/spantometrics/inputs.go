// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/internal/shared"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// instances are the instances of a factory.
type instances struct {
	*shared.Instances[*Config, *instance]
}

func newInstances() instances { return instances{shared.NewInstances[*Config, *instance]()} }

// acquire adds an input to the instance of cfg, creating it for the first one. The instance sends to the first input's next
// consumer: the collector passes the same metrics pipelines to every input of a component ID.
func (s instances) acquire(cfg *Config, settings connector.Settings, next consumer.Metrics) (*input, error) {
	found, release, err := s.Acquire(cfg, func() (*instance, error) { return newInstance(cfg, settings, next) })
	if err != nil {
		return nil, err
	}
	return &input{instance: found, release: release}, nil
}

// input is one signal's input of an instance.
type input struct {
	*instance
	release func() bool
	closing sync.Once
}

// Start starts the instance with its first input.
func (i *input) Start(ctx context.Context, host component.Host) error {
	return i.start(ctx, host)
}

// Shutdown stops the instance, with a last flush, when its last input is shut down, because upstream components may still
// send to the others. A second call does nothing.
func (i *input) Shutdown(ctx context.Context) error {
	var err error
	i.closing.Do(func() {
		if i.release() {
			err = i.stop(ctx)
		}
	})
	return err
}

// Capabilities reports that consumed data is not mutated.
func (i *input) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// tracesInput and logsInput add the consume method of their signal.
type (
	tracesInput struct{ *input }
	logsInput   struct{ *input }
)

// ConsumeTraces measures finished spans and, if configured, event spans. It does not retain td. It fails if
// the storage does or, permanently, if a batch of events is malformed.
func (in tracesInput) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return in.measure(ctx, func(now series.Instant) (tally.Batch, error) { return in.recorder.Traces(now, td, origin.Of(ctx)) })
}

// ConsumeLogs counts events. It does not retain ld. It fails as ConsumeTraces does.
func (in logsInput) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return in.measure(ctx, func(now series.Instant) (tally.Batch, error) { return in.recorder.Logs(now, ld) })
}
