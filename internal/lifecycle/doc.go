// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle defines the vocabulary of Tasker's lifecycle events: event names, attribute keys, the identity of
// traces and spans, the default routes, and which payload keys are bulky or personal. docs/tasker-events.md describes the
// events.
//
// It holds no state and depends on pdata for ID types only.
package lifecycle
