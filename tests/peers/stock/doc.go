// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package stock contains only tests and benchmarks, which compare components of this repository with those of the
// collector.
package stock
