// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Program attack runs the reproductions of attacks and accidents against the built collector and its components, and prints
// a table of what was tried and what came of it. `make attack` runs it.
//
// Each is an ordinary Go test. Every test whose name begins with TestAttack belongs to them, and what it tries is the first
// sentence of its comment; others are named in list.go. Tests that are too slow for make test run only where TASKER_ATTACK is
// set, as it is here.
//
// Where the process may, they run in a network namespace of their own: what they flood and drop touches nobody else.
package main
