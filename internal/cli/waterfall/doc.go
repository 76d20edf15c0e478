// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package waterfall draws assembled tasks in a terminal, as a tree of spans over a common time axis. It decides nothing about
// spans: everything it shows stands in the tree.
//
// It has no state.
package waterfall
