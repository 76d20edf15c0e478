// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package spantometrics is the connector span_to_metrics, which measures Tasker workflows: executions and durations from
// finished spans; event counts, active tasks and payload values from events.
//
// Every metric is a declaration, the built-in ones and the operator's alike. Its way through the internal packages:
//
//   - declaration: what a metric is, with the built-in ones in builtin.yaml; check: the mistakes in declarations
//   - plan: declarations compiled by what they measure, and run on an item
//   - measure: batches of spans and events, item by item, with tally: what became of them
//   - state: everything that is aggregated: series (the values), active (open tasks and steps) and seen (what was measured)
//   - records: the encoding of the state in the storage
//   - export: the series as OTLP metrics
//
// This package has the configuration, the life cycle, the flushes, the storing and the internal telemetry.
//
// All pipelines of a component ID share one instance, which owns the state. Batches may be consumed concurrently: the mutex
// of the series guards all state and is locked once per batch.
package spantometrics
