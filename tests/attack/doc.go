// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Program attack runs the tests that reproduce attacks and faults against the built collector and its components, and
// prints a table of the results. `make attack` runs it.
//
// Each is an ordinary Go test. Every test whose name begins with TestAttack is included, described by the first sentence of
// its comment; others are listed in list.go. Tests that are too slow for make test run only if TASKER_ATTACK is set, as it
// is here.
//
// If possible they run in a network namespace of their own, so that flooding and packet loss affect nothing else.
package main
