// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventrouter is the processor event_router. It decides once for each Tasker event which signals it becomes, whether it is
// sampled, and which parts of its payload are kept. It converts nothing, but stamps its decision on the record, so that the
// connectors after it need not decide again.
//
// The decisions are in packages that know no pipeline: routes in internal/routing, duplicates in internal/dedup, payloads in this
// component's internal/scrub. This package connects them.
//
// Batches are routed concurrently. What they share is the set of seen events, the counters and the shedder, which are safe for that;
// the routes are immutable.
package eventrouter

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen
