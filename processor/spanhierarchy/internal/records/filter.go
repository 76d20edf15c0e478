// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Filter removes from entries what is no longer needed. Its memory is reused for the next entry.
type Filter struct {
	// Events reports whether a task may need events up to the time.
	Events func(trace event.TraceID, last int64) bool
	// Release reports whether the release with a serial number is still needed.
	Release func(trace event.TraceID, serial int64) bool

	kept   []byte
	events int64
}

// Kept returns the number of events and releases in the entries that were kept.
func (f *Filter) Kept() int64 { return f.events }

// Keep returns the part of the entry that is still needed: the entry itself, a part that is valid until the next call, or nil. An
// unreadable entry is kept unchanged; the next start reports it.
func (f *Filter) Keep(entry []byte) []byte {
	b := entry
	f.kept = f.kept[:0]
	all, some := true, false
	for len(b) > 0 {
		field, rest, err := fields.Next(b)
		if err != nil {
			return entry
		}
		raw := b[:len(b)-len(rest)]
		b = rest
		if field.Number == entryGroup || field.Number == entryRelease {
			h, err := readHead(field.Data)
			if err != nil {
				return entry
			}
			wanted, of, events := f.Events, h.until, h.events
			if field.Number == entryRelease {
				wanted, of, events = f.Release, h.serial, 1
			}
			if !wanted(h.trace, of) {
				all = false
				continue
			}
			some = true
			f.events += events
		}
		f.kept = append(f.kept, raw...)
	}
	switch {
	case !some:
		return nil
	case all:
		return entry
	}
	return f.kept
}
