// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/admission/backpressure"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// logsInput makes structured records of events.
type logsInput struct {
	input
	next consumer.Logs
}

// ConsumeLogs returns the next component's error unchanged. The same logs again make the same records after an error, and no record
// of a fact after success.
func (i *logsInput) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if i.facts.asAnnounced() {
		return i.announce(ctx, logs)
	}
	b := &batch{}
	if err := i.facts.readEvents(b, logs, true); err != nil {
		return malformed(err)
	}
	return i.facts.deliver(ctx, i.handOn, b)
}

// handOn bounds the wait for room in the exporters' queues, because a sender waits for the answer.
func (i *logsInput) handOn(ctx context.Context, records plog.Logs) error {
	return backpressure.Limit(ctx, i.next.ConsumeLogs, records)
}

// announce makes a record of each event.
func (i *logsInput) announce(ctx context.Context, logs plog.Logs) error {
	records, err := eventbatch.Records(logs)
	if err != nil {
		return malformed(err)
	}
	structured, counts := announcements(records, i.facts.lines, i.facts.severity)
	if counts.converted > 0 {
		if err := i.handOn(ctx, structured); err != nil {
			return err
		}
	}
	i.facts.telemetry.record(ctx, counts)
	return nil
}

// announcements does not change logs, which have no batches. Its result belongs to the caller and shares nothing with them.
func announcements(logs plog.Logs, lines bool, least plog.SeverityNumber) (plog.Logs, counts) {
	structured := plog.NewLogs()
	var c counts
	w := recordWriter{lines: lines}
	for _, resourceLogs := range logs.ResourceLogs().All() {
		size := recordsIn(resourceLogs)
		if size == 0 {
			continue
		}
		records := newScope(structured, source{resourceLogs.Resource(), resourceLogs.SchemaUrl()})
		records.EnsureCapacity(size)
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				switch {
				case record.EventName() == "":
					c.noName++
				case !eventrecord.SignalsOf(record.Attributes()).Has(lifecycle.SignalLogs):
					c.notRouted++
				case severityOf(record) < least:
					c.belowSeverity++
				default:
					w.announcement(records.AppendEmpty(), record, resourceLogs.Resource().Attributes())
					c.converted++
				}
			}
		}
	}
	structured.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool { return r.ScopeLogs().At(0).LogRecords().Len() == 0 })
	return structured, c
}

// severityOf returns the severity of an event's record.
func severityOf(event plog.LogRecord) plog.SeverityNumber {
	if severity := event.SeverityNumber(); severity != plog.SeverityNumberUnspecified {
		return severity
	}
	return plog.SeverityNumber(lifecycle.SeverityOf(event.EventName()))
}
