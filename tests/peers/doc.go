// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package peers is a separate Go module for tests with large dependencies, which the components therefore do not have:
// Kubernetes' types (deploy), a Kafka broker (kafka) and the CloudEvents SDK (cloudevents) as programs that the end-to-end
// tests start, and other components of the collector for comparison (stock).
package peers
