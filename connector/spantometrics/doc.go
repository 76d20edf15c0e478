// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package spantometrics is the connector span_to_metrics, which measures Tasker workflows: executions and durations from
// finished spans; event counts, active tasks and payload values from events.
//
// Every metric is a declaration: the built-in ones in builtin.yaml, the operator's in the configuration. Declarations are
// compiled into plans by what they measure, and a recorder runs the plan of each span and event. Aggregation is plain Go in
// internal/series and internal/active.
//
// All pipelines of a component ID share one instance, which owns the state. Batches may be consumed concurrently: the
// registry's mutex guards all state and is locked once per batch.
package spantometrics
