// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package treeview presents assembled tasks: as rows of a waterfall, which the terminal and the live pages share, and as
// JSON. It derives everything from the tree.
//
// It has no state and changes no tree.
package treeview
