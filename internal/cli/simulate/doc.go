// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulate runs event files through the components of a collector, wired as the default configuration wires them,
// in this process and without a network: to see what a configuration makes of events before it is deployed.
//
// Run owns everything for the time of the call. Runs do not share anything.
package simulate
