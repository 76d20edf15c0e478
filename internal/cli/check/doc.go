// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package check finds mistakes in a collector's configuration that its own validation can not see, because they are
// between components: a storage that is not there, totals that expire before they are read, data that is acknowledged and
// can be lost. It reports only what is certain.
//
// It has no state.
package check
