// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventrouter is the processor event_router. It decides, once, what becomes of each event of Tasker: which
// signals, in which sample, with which of its payload. It converts nothing, but stamps its decision on the record, so that
// the connectors behind it need not decide again.
//
// What decides is elsewhere and knows no pipeline: routes in internal/routing, repeats in internal/dedup here, payloads in
// internal/scrub here. This package is the plumbing between them.
package eventrouter

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen
