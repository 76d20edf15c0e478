// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire decodes what applications send as Tasker's events, JSON and OTLP logs, into log records.
//
// An item of JSON is one object; only event and payload are required:
//
//	{"event": "step.completed", "occurred_at": "2026-06-01T12:00:00.036885123Z", "service": "shop", "namespace": "eu",
//	 "correlation_id": "tsk_…", "id": "…", "traceparent": "00-…", "payload": {"task_id": 42, …}}
//
// An item with a specversion is a CloudEvent of version 1.0 instead.
//
// A body is one item, several after one another (one per line is NDJSON), or arrays of items. A bad item is refused and
// reported; it never affects its neighbours. A key whose value is null counts as absent; of a repeated key the last value
// is used.
//
// The receiver and the command line share this package; it knows neither HTTP nor the collector's pipeline.
//
// A [Decoder] belongs to the receiver, whose requests use it concurrently.
package wire
