// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package export converts snapshots of the series to OTLP metrics, which the connector sends to the next component.
//
// A Converter has no state apart from a scratch buffer. The connector's instance owns one and uses it for one flush at a
// time; it must not be used concurrently.
package export
