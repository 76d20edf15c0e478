// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package send posts items of event files to the HTTP endpoint of a tasker_events receiver: in batches, several at a
// time, again when the receiver asks for patience, and with an exact account of what became of every item.
//
// Delivery is at least once. An item counts as accepted only when the receiver said so; whatever else may have happened to
// it, it counts as not delivered and can be sent again, because the collector knows repeats.
//
// Run owns everything for the time of the call; its requests share one account, under a lock.
package send
