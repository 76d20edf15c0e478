// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrape finds the metrics endpoints of collectors and reads them, with retries.
package scrape
