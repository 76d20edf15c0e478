// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package taskertelemetry provides the collector's internal telemetry in this distribution: otelconftelemetry, and the
// times at which each exporter last succeeded and failed.
//
// The collector counts the items that an exporter has sent and dropped since startup. These totals do not show whether a
// failed exporter has recovered. The times are recorded when the counters are incremented, for every exporter built with
// exporterhelper, without configuration. `taskerotel status` and the alerts use them.
//
// The wrapped instruments are stateless and as safe for concurrent use as those of the SDK.
package taskertelemetry
