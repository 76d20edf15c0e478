// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fingerprint identifies an item across resends; it is never zero. With a sender's event ID it hashes that ID, the event's
// name and the task's ID (an application may reuse an ID of its own under another name or task). Without one it hashes the
// name, the time and every attribute except those that event_router adds, so that it is the same before and after the
// router. A time of receipt is left out because a resend has another. The order of attributes does not matter.
//
// The service is not included: a caller that shares a set of fingerprints between services adds it.
func Fingerprint(name string, at pcommon.Timestamp, attrs pcommon.Map) uint64 {
	return FingerprintWith(name, at, attrs, Hashed{})
}

// Hashed is what the decoder of an item has hashed already ([Seed]).
type Hashed struct {
	// LeftOut is the sum of the hashes of the attributes that the decoder has left out.
	LeftOut uint64
	// First is the number of attributes, from the first on, whose hashes have the sum Sum. None of them is the sender's event ID or
	// the source of the event's time.
	First int
	Sum   uint64
}

// FingerprintWith returns the fingerprint of an item of which a part is hashed already. It equals that of the complete item.
func FingerprintWith(name string, at pcommon.Timestamp, attrs pcommon.Map, hashed Hashed) uint64 {
	sum := xxh3.HashString(name)
	all := hashed.LeftOut + hashed.Sum
	receipt, index := false, -1
	for key, value := range attrs.All() {
		if index++; index < hashed.First || IsStamp(key) {
			continue
		}
		switch key {
		case lifecycle.AttrEventID:
			return fingerprintOfID(name, value, attrs)
		case lifecycle.AttrClock:
			receipt = receipt || value.Str() == lifecycle.ClockReceipt
		}
		all += entryHash(key, value)
	}
	if !receipt {
		sum = mix(sum, uint64(at))
	}
	return nonZero(mix(sum, all))
}

// FingerprintOf returns the fingerprint of an item without an ID of its sender's, whose time is not that of its receipt. sum is that
// of the hashes of all its attributes.
func FingerprintOf(name string, at pcommon.Timestamp, sum uint64) uint64 {
	return nonZero(mix(mix(xxh3.HashString(name), uint64(at)), sum))
}

// Seeds of the hashes for FingerprintOfID.
const (
	SeedOfEventID Seed = 1
	SeedOfTaskID  Seed = 2
)

// FingerprintOfID returns the fingerprint of an item with an ID of its sender's, from the hashes of that and of the task's ID, if it
// has one.
func FingerprintOfID(name string, id, task uint64, ofTask bool) uint64 {
	sum := mix(xxh3.HashString(name), id)
	if ofTask {
		sum = mix(sum, task)
	}
	return nonZero(sum)
}

func fingerprintOfID(name string, id pcommon.Value, attrs pcommon.Map) uint64 {
	task, found := attrs.Get(lifecycle.AttrTaskID)
	if !found {
		return FingerprintOfID(name, SeedOfEventID.value(id), 0, false)
	}
	return FingerprintOfID(name, SeedOfEventID.value(id), SeedOfTaskID.value(task), true)
}

func nonZero(sum uint64) uint64 {
	if sum == 0 {
		return 1
	}
	return sum
}

// Identity returns the fingerprint of a record's event: the one assigned by the receiver or a router, which covers removed
// and redacted attributes, or else the record's own.
func Identity(record plog.LogRecord) uint64 {
	if given, found := given(record.Attributes()); found {
		return given
	}
	return Fingerprint(lifecycle.Canonical(record.EventName()), record.Timestamp(), record.Attributes())
}

// SetIdentity stores the identity in a record's attributes.
func SetIdentity(attrs pcommon.Map, identity uint64) {
	attrs.PutInt(lifecycle.AttrIdentity, int64(identity))
}

// Given returns the identity that the receiver or a router has assigned to a record.
func Given(record plog.LogRecord) (identity uint64, found bool) { return given(record.Attributes()) }

func given(attrs pcommon.Map) (uint64, bool) {
	value, found := attrs.Get(lifecycle.AttrIdentity)
	if !found || value.Type() != pcommon.ValueTypeInt {
		return 0, false
	}
	return uint64(value.Int()), true
}

// Routed reports whether a router has processed the record.
func Routed(record plog.LogRecord) bool { return isStamped(record.Attributes()) }

// Repeat returns the identity of an item that follows before equal ones; the fingerprint itself if before is 0. It is never
// zero.
func Repeat(fingerprint, before uint64) uint64 {
	if before == 0 {
		return fingerprint
	}
	return nonZero(mix(fingerprint, before))
}

// Stamps returns the keys of attributes that only the collector writes and that are not part of an event. The caller owns
// the slice.
func Stamps() []string {
	return []string{
		lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity, lifecycle.AttrEventBatch, lifecycle.AttrEventDecisions,
	}
}

// IsStamp reports whether a key is one of Stamps.
func IsStamp(key string) bool {
	switch key {
	case lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity, lifecycle.AttrEventBatch, lifecycle.AttrEventDecisions:
		return true
	}
	return false
}
