// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package routedevents is the connector routed_events. It converts events that event_router has routed, without state: to
// zero-length spans that bear their task's trace id, or to structured log records that point at their task's span.
package routedevents

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen
