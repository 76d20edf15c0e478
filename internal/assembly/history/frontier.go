// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"math"
	"sort"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// Prefix finds how many of the task's sorted records lie up to its frontier, before which everything has arrived, if events are
// late by less than the window; and when it can move on though nothing more comes, MaxInt64 if it cannot.
//
// The frontier is the newest time of the records that arrived a window ago or before: an event that happened before that one
// arrived less than a window after it, so by now. Only the differences of delays count: the clocks of senders and collector need
// not agree. Nor does the frontier pass a record that arrived since: a clock that is ahead, as an operator's may be, does not move
// it ahead of the workers.
func (t *Source) Prefix(now int64, window time.Duration) (length int, next int64) {
	newest, youngest := int64(math.MinInt64), int64(math.MaxInt64)
	next = math.MaxInt64
	for i := range t.Records {
		r := &t.Records[i]
		if due := event.ArrivedBy(r.Arrived) + int64(window); due > now {
			youngest, next = min(youngest, r.At), min(next, due)
		} else {
			newest = max(newest, r.At)
		}
	}
	return RecordsUntil(t.Records, min(newest, youngest-1)), next
}

// WholePasses returns how many of the first records lie up to the end of the last pass whose end was announced twice. With a clock
// of seconds any event of a pass can change the order of the others.
func WholePasses(records []event.Record) int {
	ends, length := 0, 0
	for i := range records {
		switch records[i].Kind {
		case event.PassBegan:
			ends = 0
		case event.PassEnded:
			if ends++; ends == finalizationAnnouncements {
				length = i + 1
			}
		}
	}
	return length
}

// RecordsUntil returns how many of the sorted records lie up to a time.
func RecordsUntil(sorted []event.Record, until int64) int {
	return sort.Search(len(sorted), func(i int) bool { return sorted[i].At > until })
}
