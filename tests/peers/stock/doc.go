// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package stock holds no code: its tests and benchmarks compare components of this repository with those of the collector.
package stock
