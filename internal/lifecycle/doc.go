// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle is the vocabulary of Tasker's lifecycle events, kept once: the names of events, the keys of
// attributes, the identity of traces and spans, the default routes, and which payload keys are bulky or personal.
//
// It knows no pdata beyond the id types and holds no state, so every component can share it.
// The facts behind it are in docs/tasker-events.md.
package lifecycle
