// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package status queries a running collector's state: from its internal telemetry and its health check. It has no state
// itself.
package status
