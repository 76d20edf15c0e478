// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package catalogue knows the metrics that a deployment offers to Prometheus, by the names and labels that Prometheus
// sees, and checks PromQL against them: an expression of a rule or of a dashboard that names an unknown metric or label
// would return nothing, silently, for ever.
//
// The names come from where they are made: span_to_metrics' builtin.yaml and the components'
// metadata.yaml, from which their code is generated, and the metadata.yaml of the collector's own modules in
// the module cache. Only the metrics of other programs (node_exporter, kube-state-metrics) are listed here.
package catalogue
