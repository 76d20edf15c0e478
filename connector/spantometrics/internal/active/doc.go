// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package active keeps the sets of tasks and steps that are open: that began and have not ended. The size of such a set is a
// number that repeated, lost or late events cannot shift permanently, as they can a sum of plus and minus ones.
//
// What is known of a task or step are the times of its newest events of each kind, and its state follows from these times
// alone. So events may come in any order and any number of times.
//
// The connector's instance owns a Tracker, under the registry's lock.
package active
