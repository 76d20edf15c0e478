// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

// counts are those of one batch. They are reported only when the batch was accepted, because a refused one is sent again.
type counts struct {
	converted, notRouted, noTask, noName, announcements, duplicates, incomplete, belowSeverity, received int64
}

// telemetry reports the connector's own metrics for one signal. Its attribute sets are made once.
type telemetry struct {
	builder   *metadata.TelemetryBuilder
	converted counter.Attributes
	// reasons run parallel to counts.dropped.
	reasons [droppedReasons]counter.Attributes
}

const droppedReasons = 8

// dropped returns the counts of dropped events, in the order of reasons.
func (c *counts) dropped() [droppedReasons]int64 {
	return [...]int64{c.notRouted, c.noTask, c.noName, c.announcements, c.duplicates, c.incomplete, c.belowSeverity, c.received}
}

func newTelemetry(set connector.Settings, signal string) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("telemetry of %s: %w", set.ID, err)
	}
	t := &telemetry{builder: builder, converted: counter.With("signal", signal)}
	for i, reason := range [...]string{
		"not_routed", "no_task", "no_name", "announcement", "duplicate", "incomplete", "below_severity", "received",
	} {
		t.reasons[i] = counter.With("signal", signal, "reason", reason)
	}
	return t, nil
}

// observe reports how much is remembered, in memory and on the storage.
func (t *telemetry) observe(known func() (int64, bool), stored journal.Observer) error {
	return errors.Join(
		t.builder.RegisterConnectorRoutedEventsKnownFactsCallback(func(_ context.Context, o metric.Int64Observer) error {
			if facts, recording := known(); recording {
				o.Observe(facts)
			}
			return nil
		}),
		t.builder.RegisterConnectorRoutedEventsStorageBytesCallback(stored.Bytes()),
		t.builder.RegisterConnectorRoutedEventsStorageFailingCallback(stored.Failing()),
		t.builder.RegisterConnectorRoutedEventsStorageFailuresCallback(stored.Failures()),
		t.builder.RegisterConnectorRoutedEventsStorageLastCommitCallback(stored.LastCommit()),
		t.builder.RegisterConnectorRoutedEventsStorageSetAsideCallback(stored.SetAside()),
		t.builder.RegisterConnectorRoutedEventsStorageWaitingCallback(stored.Waiting()),
	)
}

func (t *telemetry) record(ctx context.Context, c counts) {
	counter.Add(ctx, t.builder.ConnectorRoutedEventsConverted, c.converted, t.converted)
	for i, n := range c.dropped() {
		counter.Add(ctx, t.builder.ConnectorRoutedEventsDropped, n, t.reasons[i])
	}
}

// notKept counts records that were passed on and could not be stored.
func (t *telemetry) notKept(ctx context.Context, records int64) {
	counter.Add(ctx, t.builder.ConnectorRoutedEventsUnrememberedRecords, records, nil)
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }
