// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulate runs event files through the components of a collector, connected as in the default configuration, in this
// process and without a network. It shows the effect of a configuration before it is deployed.
//
// Runs share nothing.
package simulate
