// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"math"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Seed is what stands before a value whose hash is a part of a fingerprint: its key or its neighbour. The hash depends on the
// type too: 1 and "1" differ. The methods are for values that are hashed where they stand, without being made (docs/identity.md).
type Seed uint64

// SeedOf is the seed of the value under an attribute's key.
func SeedOf(key string) Seed { return Seed(xxh3.HashString(key)) }

// SeedOfBytes is SeedOf for a key that is no string yet.
func SeedOfBytes(key []byte) Seed { return Seed(xxh3.Hash(key)) }

// Text is the hash of a text.
func (s Seed) Text(text []byte) uint64 { return xxh3.HashSeed(text, s.of(pcommon.ValueTypeStr)) }

// Int is the hash of an integer.
func (s Seed) Int(n int64) uint64 { return mix(s.of(pcommon.ValueTypeInt), uint64(n)) }

// Double is the hash of a number that is not an integer.
func (s Seed) Double(f float64) uint64 {
	return mix(s.of(pcommon.ValueTypeDouble), math.Float64bits(f))
}

// Bool is the hash of a boolean.
func (s Seed) Bool(b bool) uint64 {
	if b {
		return mix(s.of(pcommon.ValueTypeBool), 1)
	}
	return mix(s.of(pcommon.ValueTypeBool), 0)
}

// Map is the hash of a map whose entries' hashes add up to a sum: addition does not know order. An entry without a value has
// none.
func (s Seed) Map(entries uint64) uint64 { return mix(s.of(pcommon.ValueTypeMap), entries) }

// List is the seed of a list's first element. The hash of each element is the seed of the next, and that of the last the hash
// of the list.
func (s Seed) List() Seed { return Seed(s.of(pcommon.ValueTypeSlice)) }

// Nothing is the hash of an element of a list without a value.
func (s Seed) Nothing() uint64 { return s.of(pcommon.ValueTypeEmpty) }

func (s Seed) of(kind pcommon.ValueType) uint64 { return mix(uint64(s), uint64(kind)) }

func (s Seed) value(value pcommon.Value) uint64 {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return xxh3.HashStringSeed(value.Str(), s.of(pcommon.ValueTypeStr))
	case pcommon.ValueTypeInt:
		return s.Int(value.Int())
	case pcommon.ValueTypeDouble:
		return s.Double(value.Double())
	case pcommon.ValueTypeBool:
		return s.Bool(value.Bool())
	case pcommon.ValueTypeMap:
		return s.Map(mapHash(value.Map()))
	case pcommon.ValueTypeSlice:
		seed := s.List()
		for _, element := range value.Slice().All() {
			seed = Seed(seed.value(element))
		}
		return uint64(seed)
	case pcommon.ValueTypeBytes:
		hash := s.of(pcommon.ValueTypeBytes)
		bytes := value.Bytes()
		for i := range bytes.Len() {
			hash = mix(hash, uint64(bytes.At(i)))
		}
		return hash
	}
	return s.Nothing()
}

// mapHash adds up the hashes of the entries.
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
	return SeedOf(key).value(value)
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
