// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventrecord reads and normalizes log records of Tasker events. It holds no state.
//
// Functions keep no reference to the pdata they receive. Only [Normalize] writes, and only to the record.
package eventrecord
