// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fingerprint is the identity of an item across resends, never zero. With a sender's event id it is the hash of that id,
// the event's name and the task's id (an application may use the key event_id for things of its own that recur under
// another name or task). Without one it is the hash of the name, the time and every attribute but those that
// event_router adds, so that it is the same before and behind the router; a time of receipt is left out, because a resend
// has another. The order of attributes does not matter.
//
// Payloads do not name their application: where several share a set of fingerprints, the caller adds the service.
func Fingerprint(name string, at pcommon.Timestamp, attrs pcommon.Map) uint64 {
	return FingerprintBeside(name, at, attrs, 0)
}

// FingerprintBeside is the fingerprint of an item of which the caller has left out attributes; leftOut is the sum of their
// hashes ([Seed]). It is the same as that of the whole item.
func FingerprintBeside(name string, at pcommon.Timestamp, attrs pcommon.Map, leftOut uint64) uint64 {
	sum := xxh3.HashString(name)
	if id, found := attrs.Get(lifecycle.AttrEventID); found {
		sum = mix(sum, Seed(1).value(id))
		if task, found := attrs.Get(lifecycle.AttrTaskID); found {
			sum = mix(sum, Seed(2).value(task))
		}
	} else {
		hash, receipt := attributesHash(attrs)
		if !receipt {
			sum = mix(sum, uint64(at))
		}
		sum = mix(sum, hash+leftOut)
	}
	if sum == 0 {
		return 1
	}
	return sum
}

// Identity is the fingerprint of the event that a record is: that which the receiver of events or a router has given it,
// because what they have left out and masked is no part of the record any more, or else that of the record.
func Identity(record plog.LogRecord) uint64 {
	if given, found := given(record.Attributes()); found {
		return given
	}
	return Fingerprint(lifecycle.Canonical(record.EventName()), record.Timestamp(), record.Attributes())
}

// SetIdentity gives a record its identity.
func SetIdentity(attrs pcommon.Map, identity uint64) {
	attrs.PutInt(lifecycle.AttrIdentity, int64(identity))
}

// Given is the identity that the receiver of events or a router has given a record, if one has.
func Given(record plog.LogRecord) (identity uint64, found bool) { return given(record.Attributes()) }

func given(attrs pcommon.Map) (uint64, bool) {
	value, found := attrs.Get(lifecycle.AttrIdentity)
	if !found || value.Type() != pcommon.ValueTypeInt {
		return 0, false
	}
	return uint64(value.Int()), true
}

// Routed reports whether a router has decided on a record.
func Routed(record plog.LogRecord) bool { return isStamped(record.Attributes()) }

// Repeat is the identity of an item equal to so many before it, never zero. With none before it, it is the fingerprint.
func Repeat(fingerprint, before uint64) uint64 {
	if before == 0 {
		return fingerprint
	}
	if sum := mix(fingerprint, before); sum != 0 {
		return sum
	}
	return 1
}

// attributesHash is the hash of an event's attributes, and whether its time is that of its receipt.
func attributesHash(attrs pcommon.Map) (sum uint64, receipt bool) {
	for key, value := range attrs.All() {
		if isStamp(key) {
			continue
		}
		if key == lifecycle.AttrClock {
			receipt = receipt || value.Str() == lifecycle.ClockReceipt
		}
		sum += entryHash(key, value)
	}
	return sum, receipt
}

// Stamps are the attributes that only the collector writes, and that are no part of an event. The slice is the caller's.
func Stamps() []string {
	return []string{lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity}
}

// isStamp reports whether an attribute is one of Stamps.
func isStamp(key string) bool {
	switch key {
	case lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity:
		return true
	}
	return false
}
