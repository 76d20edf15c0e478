// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package catalogue lists the metrics that a deployment provides to Prometheus, by their Prometheus names and labels, and
// checks PromQL against them: an expression with an unknown metric or label would silently return nothing.
//
// The names come from their definitions: span_to_metrics' builtin.yaml, the components' metadata.yaml, and the
// metadata.yaml of the collector's modules in the module cache. Only the metrics of other programs (node_exporter,
// kube-state-metrics) are listed here.
package catalogue
