// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package terminal formats text for people: safe for a terminal, fitted to its columns, in color if wanted. It has no
// state.
package terminal
