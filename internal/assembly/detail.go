// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
)

// detail has the fields of an event beyond its kind, time, step and number.
type detail struct {
	text    string  // see spanEventName and the methods after it: an event has one of these texts, and there are many details
	seconds float64 // duration of a query, length of a backoff
	failure *failure
	attrs   []attribute.KeyValue
	bytes   int32 // its approximate size
}

func (d *detail) spanEventName() string { return d.text }
func (d *detail) queue() string         { return d.text } // of a job
func (d *detail) backoffType() string   { return d.text }
func (d *detail) statement() string     { return d.text } // of a query
func (d *detail) batchMode() string     { return d.text }
func (d *detail) finalStatus() string   { return d.text } // of a pass

// weigh sets the approximate size of the detail.
func (d *detail) weigh() {
	n := bytesPerDetail + len(d.text)
	if d.failure != nil {
		n += bytesPerFailure + len(d.failure.message) + len(d.failure.trace)
	}
	for i := range d.attrs {
		v := &d.attrs[i].Value
		n += bytesPerAttribute + len(v.Text)
		for _, s := range v.Strings {
			n += bytesPerString + len(s)
		}
	}
	d.bytes = int32(min(n, math.MaxInt32))
}

// size returns about how many bytes the detail takes.
func (d *detail) size() int64 { return int64(d.bytes) }

// failure is the error of a failed attempt or task.
type failure struct {
	message string
	class   string
	trace   string // backtrace
	generic bool   // class came from exception_class, which is hardly ever the true one
}

// noDetail is the detail of records without one. It is immutable.
var noDetail = detail{bytes: bytesPerDetail}

// detail returns the record's rarely used fields.
func (s *Set) detail(r *record) *detail {
	if r.detail == 0 {
		return &noDetail
	}
	return s.details[r.detail-1]
}

const (
	maxDetails = 1<<16 - 1
	// detailsInSight is how many of the latest details are compared, so that a shared one is kept once.
	detailsInSight = 8
)

// keep adds the detail to the set and returns its index; 0, which means none, when there are too many.
func (s *Set) keep(d *detail) uint16 {
	for i, known := range s.details[:min(detailsInSight, len(s.details))] {
		if known == d {
			return uint16(i + 1)
		}
	}
	if len(s.details) >= maxDetails {
		return 0
	}
	room := cap(s.details)
	s.details = append(s.details, d)
	s.held += int64(cap(s.details)-room) * bytesPerPointer
	return uint16(len(s.details))
}

// keepOwn keeps a detail that no other task shares.
func (s *Set) keepOwn(d *detail) uint16 {
	d.weigh()
	s.held += d.size()
	return s.keep(d)
}
