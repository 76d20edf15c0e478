// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package treeview reads assembled tasks for people and for machines: the rows of a waterfall, what stands in them, and JSON.
// The terminal and the live pages draw the same rows. It decides nothing about spans: all that it says stands in the tree.
package treeview
