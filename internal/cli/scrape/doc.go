// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrape finds the metrics endpoints of collectors and reads them, with retries.
//
// It keeps no state but the connections of a [Client], which may be used concurrently.
package scrape
