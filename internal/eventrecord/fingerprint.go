// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"encoding/binary"
	"math"

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
	sum := xxh3.HashString(name)
	if id, found := attrs.Get(lifecycle.AttrEventID); found {
		sum = mix(sum, valueHash(1, id))
		if task, found := attrs.Get(lifecycle.AttrTaskID); found {
			sum = mix(sum, valueHash(2, task))
		}
	} else {
		hash, receipt := attributesHash(attrs)
		if !receipt {
			sum = mix(sum, uint64(at))
		}
		sum = mix(sum, hash)
	}
	if sum == 0 {
		return 1
	}
	return sum
}

// Stamped is the identity that a router has given a record, if one has: what it left out and masked is then no part of the
// record any more.
func Stamped(record plog.LogRecord) (uint64, bool) {
	span := record.SpanID()
	if span.IsEmpty() || !isStamped(record.Attributes()) {
		return 0, false
	}
	return binary.BigEndian.Uint64(span[:]), true
}

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
		switch key {
		case lifecycle.AttrSignals, lifecycle.AttrPriority:
			continue
		case lifecycle.AttrClock:
			receipt = receipt || value.Str() == lifecycle.ClockReceipt
		}
		sum += entryHash(key, value)
	}
	return sum, receipt
}

// mapHash adds up the hashes of the entries, because addition does not know order.
func mapHash(m pcommon.Map) uint64 {
	var sum uint64
	for key, value := range m.All() {
		sum += entryHash(key, value)
	}
	return sum
}

// entryHash is zero for a key without a value: JSON's null, which taskerevents leaves out and senders of OTLP may not.
func entryHash(key string, value pcommon.Value) uint64 {
	if value.Type() == pcommon.ValueTypeEmpty {
		return 0
	}
	return valueHash(xxh3.HashString(key), value)
}

// valueHash is seeded by what stands before the value, its key or its neighbour, and by its type: 1 and "1" differ.
func valueHash(seed uint64, value pcommon.Value) uint64 {
	kind := value.Type()
	seed = mix(seed, uint64(kind))
	switch kind {
	case pcommon.ValueTypeStr:
		return xxh3.HashStringSeed(value.Str(), seed)
	case pcommon.ValueTypeInt:
		return mix(seed, uint64(value.Int()))
	case pcommon.ValueTypeDouble:
		return mix(seed, math.Float64bits(value.Double()))
	case pcommon.ValueTypeBool:
		if value.Bool() {
			return mix(seed, 1)
		}
		return mix(seed, 0)
	case pcommon.ValueTypeMap:
		return mix(seed, mapHash(value.Map()))
	case pcommon.ValueTypeSlice:
		for _, element := range value.Slice().All() {
			seed = valueHash(seed, element)
		}
		return seed
	case pcommon.ValueTypeBytes:
		bytes := value.Bytes()
		for i := range bytes.Len() {
			seed = mix(seed, uint64(bytes.At(i)))
		}
		return seed
	}
	return seed
}

// mix joins two words so that their order and every bit of both count (the finalizer of splitmix64).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
