// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package check reports the mistakes in declarations of metrics: all at once, each with its key, value and remedy.
//
// It has no state. Its functions may be called concurrently, and do not change the configuration.
package check
