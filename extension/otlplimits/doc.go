// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package otlplimits is the extension otlp_limits, a middleware of OTLP receivers: it bounds the memory of requests while they are
// received, decoded and passed on, over all connections. A request's memory is estimated from its bytes before it is decoded.
//
// Requests of all receivers share one budget and use it concurrently.
package otlplimits
