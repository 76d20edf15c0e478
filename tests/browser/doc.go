// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package browser tests the live pages of the built collector as a person uses them: in a browser, fed with real streams.
package browser
