// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package taskertelemetry is the collector's own telemetry in this distribution: otelconftelemetry, and when each exporter
// last succeeded and failed.
//
// The collector counts what an exporter sent and what it gave up, as totals since the start. Totals do not show
// whether an exporter that failed has recovered. The times are recorded where the counters are increased, for every
// exporter that is built with exporterhelper, without a setting. `taskerotel status` and the alerts read them.
//
// The wrapped instruments have no state of their own and are as safe for concurrent use as those of the SDK.
package taskertelemetry
