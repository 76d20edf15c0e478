// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package routedevents is the connector routed_events. It converts events that event_router has routed to zero-length spans with
// their task's trace id, and events and finished spans to structured log records that refer to their task's span.
//
// Batches are converted concurrently. What they share is what is known of recorded facts and of callers, each with a lock of its own.
package routedevents

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen
