// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package taskerpages is the extension tasker_pages: live pages, and the same as JSON, of what the collector's components
// hold. It keeps nothing itself but a few counts for its charts: components offer what they have (internal/livedata).
package taskerpages
