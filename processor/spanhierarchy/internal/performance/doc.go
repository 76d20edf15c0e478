// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package performance finds what was slow or took much memory in finished trees. It is plain Go and keeps no state: its result
// depends only on the tree and the thresholds.
package performance
