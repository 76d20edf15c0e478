// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package waterfall draws assembled tasks in a terminal, as a tree of spans over a common time axis. It derives everything
// from the tree and has no state.
package waterfall
