// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package send posts items of event files to a tasker_events receiver: in concurrent batches, with retries, and with an
// exact account of every item.
//
// Delivery is at least once. An item counts as accepted only if the receiver has acknowledged it; otherwise it counts as
// undelivered and can be sent again, because the collector detects duplicates.
//
// A Send owns its state; its workers share one account under a mutex.
package send
