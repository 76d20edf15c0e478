// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventrecord reads and normalises the log records of Tasker's events. It holds no state.
//
// Every function works on the pdata it is given and keeps no reference to it. Only [Normalize] writes, and only to the
// record.
package eventrecord
