// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package status asks a running collector how it is: from its internal telemetry at its telemetry endpoint, and from its
// health check.
//
// It has no state.
package status
