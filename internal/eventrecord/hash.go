// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"math"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Seed is the hash of what precedes a value: its key, or the element before it. A hash depends on the value's type: 1 and
// "1" differ. The methods hash values as they are parsed, without building pdata (docs/identity.md).
type Seed uint64

// SeedOf returns the seed for the value of an attribute key.
func SeedOf(key string) Seed { return Seed(xxh3.HashString(key)) }

// SeedOfBytes is SeedOf for a key held as bytes.
func SeedOfBytes(key []byte) Seed { return Seed(xxh3.Hash(key)) }

// Text returns the hash of a string.
func (s Seed) Text(text []byte) uint64 { return xxh3.HashSeed(text, s.of(pcommon.ValueTypeStr)) }

// String is Text for a string.
func (s Seed) String(text string) uint64 {
	return xxh3.HashStringSeed(text, s.of(pcommon.ValueTypeStr))
}

// Int returns the hash of an integer.
func (s Seed) Int(n int64) uint64 { return mix(s.of(pcommon.ValueTypeInt), uint64(n)) }

// Double returns the hash of a number that is not an integer.
func (s Seed) Double(f float64) uint64 {
	return mix(s.of(pcommon.ValueTypeDouble), math.Float64bits(f))
}

// Bool returns the hash of a boolean.
func (s Seed) Bool(b bool) uint64 {
	if b {
		return mix(s.of(pcommon.ValueTypeBool), 1)
	}
	return mix(s.of(pcommon.ValueTypeBool), 0)
}

// Bytes is the hash of bytes.
func (s Seed) Bytes(bytes []byte) uint64 {
	hash := s.of(pcommon.ValueTypeBytes)
	for _, b := range bytes {
		hash = mix(hash, uint64(b))
	}
	return hash
}

// Map returns the hash of a map from the sum of its entries' hashes; addition makes it independent of their order. An entry
// without a value is not counted.
func (s Seed) Map(entries uint64) uint64 { return mix(s.of(pcommon.ValueTypeMap), entries) }

// List returns the seed of a list's first element. Each element's hash is the seed of the next, and the last one's is the
// hash of the list.
func (s Seed) List() Seed { return Seed(s.of(pcommon.ValueTypeSlice)) }

// Nothing returns the hash of a list element without a value.
func (s Seed) Nothing() uint64 { return s.of(pcommon.ValueTypeEmpty) }

// Attribute returns the hash of an attribute's value, given the seed of its key; zero for one without a value, which OTLP senders
// may write where tasker_events leaves out JSON's null.
func (s Seed) Attribute(value pcommon.Value) uint64 {
	if value.Type() == pcommon.ValueTypeEmpty {
		return 0
	}
	return s.value(value)
}

func (s Seed) of(kind pcommon.ValueType) uint64 { return mix(uint64(s), uint64(kind)) }

func (s Seed) value(value pcommon.Value) uint64 {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return s.String(value.Str())
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

// mapHash sums the hashes of the entries.
func mapHash(m pcommon.Map) uint64 {
	var sum uint64
	for key, value := range m.All() {
		sum += entryHash(key, value)
	}
	return sum
}

func entryHash(key string, value pcommon.Value) uint64 { return SeedOf(key).Attribute(value) }

// mix combines two words with the finalizer of splitmix64, so that order and every bit matter.
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
