// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package inprocess tests the components together in one process, on a fake clock.
package inprocess
