// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"iter"
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
)

// Detail has the fields of an event beyond its kind, time, step and number.
type Detail struct {
	Text       string  // see SpanEventName and the methods after it: an event has one of these texts, and there are many details
	Seconds    float64 // duration of a query, length of a backoff
	Failure    *Failure
	Attributes []attribute.KeyValue
	bytes      int32 // its approximate size
}

// SpanEventName returns the name of an event that becomes a span event.
func (d *Detail) SpanEventName() string { return d.Text }

// Queue returns the name of a job's queue.
func (d *Detail) Queue() string { return d.Text }

// BackoffType returns the type of a backoff.
func (d *Detail) BackoffType() string { return d.Text }

// Statement returns the SQL of a query.
func (d *Detail) Statement() string { return d.Text }

// BatchMode returns the processing mode of a batch.
func (d *Detail) BatchMode() string { return d.Text }

// FinalStatus returns the final status of a pass.
func (d *Detail) FinalStatus() string { return d.Text }

// weigh sets the approximate size of the detail.
func (d *Detail) weigh() {
	n := bytesPerDetail + len(d.Text)
	if d.Failure != nil {
		n += bytesPerFailure + len(d.Failure.Message) + len(d.Failure.Backtrace)
	}
	for i := range d.Attributes {
		v := &d.Attributes[i].Value
		n += BytesPerAttribute + len(v.Text)
		for _, s := range v.Strings {
			n += BytesPerString + len(s)
		}
	}
	d.bytes = int32(min(n, math.MaxInt32))
}

// Size returns about how many bytes the detail takes.
func (d *Detail) Size() int64 { return int64(d.bytes) }

// Failure is the error of a failed attempt or task.
type Failure struct {
	Message   string
	Class     string
	Backtrace string // backtrace
	Generic   bool   // class came from exception_class, which is hardly ever the true one
}

// noDetail is the detail of records without one. It is immutable.
var noDetail = Detail{bytes: bytesPerDetail}

// Detail returns the record's rarely used fields.
func (s *Set) Detail(r *Record) *Detail {
	if r.Detail == 0 {
		return &noDetail
	}
	return s.details[r.Detail-1]
}

const (
	maxDetails = 1<<16 - 1
	// detailsInSight is how many of the latest details are compared, so that a shared one is kept once.
	detailsInSight = 8
)

// keep adds the detail to the set and returns its index; 0, which means none, when there are too many.
func (s *Set) keep(d *Detail) uint16 {
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
	s.Held += int64(cap(s.details)-room) * bytesPerPointer
	return uint16(len(s.details))
}

// KeepDetail keeps a detail that no other task shares.
func (s *Set) KeepDetail(d *Detail) uint16 {
	d.weigh()
	s.Held += d.Size()
	return s.keep(d)
}

// Failures visits the errors of the task and of its attempts.
func (s *Set) Failures() iter.Seq[*Failure] {
	return func(yield func(*Failure) bool) {
		for _, d := range s.details {
			if d.Failure != nil && !yield(d.Failure) {
				return
			}
		}
	}
}

// HasDetail reports whether a detail has the index, or it is 0.
func (s *Set) HasDetail(index int64) bool { return index >= 0 && index <= int64(len(s.details)) }
