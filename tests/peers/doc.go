// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package peers is a Go module of its own for tests that need large dependencies, so that these are no dependencies of the
// components: Kubernetes' types (deploy), a Kafka broker (kafka) and the CloudEvents SDK (cloudevents) as programs that the
// end-to-end tests start, and other components of the collector to compare ours with (stock).
package peers
