// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package check finds mistakes in a collector's configuration that its own validation cannot see, because they concern
// several components: a missing storage, totals that expire before they are read, acknowledged data that can be lost. It
// reports only what is certain. It has no state.
package check
