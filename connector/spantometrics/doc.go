// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package spantometrics is the connector span_to_metrics: it measures Tasker workflows. Executions and durations come from
// finished spans, raw counts, active tasks and payload values from events.
//
// Every metric is a declaration: the built-in ones stand in builtin.yaml, the operator's in the configuration. They are
// arranged into plans, by what they are measured on, and a recorder runs the plan of each span and event. What adds up is
// plain Go in internal/series and internal/active.
//
// All pipelines of one component id share one instance, which owns the state. Batches may come concurrently: one mutex, the
// registry's, guards all state and is taken once per batch.
package spantometrics
