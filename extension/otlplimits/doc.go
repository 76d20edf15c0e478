// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package otlplimits is the extension otlp_limits, a middleware of OTLP receivers: it bounds the memory that requests take
// while they are received, decoded and handed on, over all connections. What a request will take is estimated from its bytes,
// before anything is built of them.
package otlplimits
