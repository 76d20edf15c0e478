// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package state holds what an instance of the connector knows, all of which it stores: the series, the open tasks and
// steps, and which spans and events were measured.
//
// The instance owns a State. The mutex of its registry of series guards all parts, which log their changes within one entry
// per batch. Its methods lock the mutex themselves and may be called concurrently, except those that say otherwise.
package state
