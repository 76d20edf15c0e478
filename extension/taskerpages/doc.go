// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package taskerpages is the extension tasker_pages: live pages, and a JSON API, of what the collector's components hold.
// Components offer their data through internal/livedata; the extension itself stores only a few counts for its charts.
//
// Requests are served concurrently; components change what they offer meanwhile, under their own locks.
package taskerpages
