// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/tasker-otel/otelcol-tasker/internal/shared"
)

// instances are those of a factory.
type instances struct {
	*shared.Instances[*Config, *instance]
}

func newInstances() instances { return instances{shared.NewInstances[*Config, *instance]()} }

// acquire adds an input to the instance of cfg, and makes the instance for the first one. The instance sends to the first
// input's next consumer: the collector hands every input of an id the same metrics pipelines.
func (s instances) acquire(cfg *Config, settings connector.Settings, next consumer.Metrics) (*input, error) {
	found, release, err := s.Acquire(cfg, func() (*instance, error) { return newInstance(cfg, settings, next) })
	if err != nil {
		return nil, err
	}
	return &input{instance: found, release: release}, nil
}

// input is one signal's side of an instance.
type input struct {
	*instance
	release func() bool
	closing sync.Once
}

// Start starts the instance with its first input.
func (i *input) Start(ctx context.Context, host component.Host) error {
	return i.start(ctx, host)
}

// Shutdown stops the instance, with a last flush, when its last input is shut down: until then the other inputs may still
// be given what the components before them held. A second call does nothing.
func (i *input) Shutdown(ctx context.Context) error {
	var err error
	i.closing.Do(func() {
		if i.release() {
			err = i.stop(ctx)
		}
	})
	return err
}

// Capabilities says that the data is only read.
func (i *input) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// tracesInput and logsInput give an input the method of its signal.
type (
	tracesInput struct{ *input }
	logsInput   struct{ *input }
)
