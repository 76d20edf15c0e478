// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package browser tests the live pages of the built collector in a browser, with real streams.
package browser
