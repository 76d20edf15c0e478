// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Keys whose values are derived if no attribute has them.
const (
	// keyEventName is the event's name.
	keyEventName = "event.name"
	// keyAboutSchema is set on queries of the database's schema.
	keyAboutSchema = "query.about_schema"
)

// derivation is how an [Item] derives a value.
type derivation uint8

const (
	notDerived derivation = iota
	derivedEventName
	derivedStatus
	derivedOperation
	derivedCollection
	derivedAboutSchema
)

// derivationOf returns how the value of a key is derived.
func derivationOf(key string) derivation {
	switch key {
	case keyEventName:
		return derivedEventName
	case lifecycle.AttrStatus:
		return derivedStatus
	case lifecycle.AttrDBOperationName:
		return derivedOperation
	case lifecycle.AttrDBCollectionName:
		return derivedCollection
	case keyAboutSchema:
		return derivedAboutSchema
	}
	return notDerived
}

// fieldSet is the set of attributes that a plan reads in one pass.
type fieldSet struct {
	fields []field
	// byLength groups keys by length; comparing lengths first is cheaper than hashing every key.
	byLength [][]candidate
}

// field is an attribute with its alternative keys in order of preference.
type field struct {
	keys []string
	// derivations are used in this order if no attribute has a value.
	derivations []derivation
}

// candidate is a key of a field. The present key of the lowest rank, which begins at 1, is used.
type candidate struct {
	key         string
	field, rank int
}

// newField makes a field from configured keys. A payload key may lack the prefix.
func newField(keys []string) field {
	f := field{}
	for _, key := range keys {
		f.keys = append(f.keys, key)
		if !strings.HasPrefix(key, lifecycle.AttributePrefix) {
			f.keys = append(f.keys, lifecycle.AttributePrefix+key)
		}
	}
	for _, key := range f.keys {
		if d := derivationOf(key); d != notDerived {
			f.derivations = append(f.derivations, d)
		}
	}
	return f
}

// add returns the index of a field, reusing one with the same keys.
func (s *fieldSet) add(f field) int {
	for i := range s.fields {
		if slices.Equal(s.fields[i].keys, f.keys) {
			return i
		}
	}
	index := len(s.fields)
	s.fields = append(s.fields, f)
	for i, key := range f.keys {
		if key == keyEventName {
			continue // the event's name always overrides attributes
		}
		for len(s.byLength) <= len(key) {
			s.byLength = append(s.byLength, nil)
		}
		s.byLength[len(key)] = append(s.byLength[len(key)], candidate{key, index, i + 1})
	}
	return index
}

// candidates returns the keys of fields that may equal a key.
func (s *fieldSet) candidates(key string) []candidate {
	if len(key) >= len(s.byLength) {
		return nil
	}
	return s.byLength[len(key)]
}

// read finds the fields among attributes.
func (s *fieldSet) read(attrs pcommon.Map, into []value) {
	if len(s.byLength) == 0 {
		return
	}
	for key, attribute := range attrs.All() {
		for _, c := range s.candidates(key) {
			if c.key == key {
				into[c.field].take(c.rank, valueOf(attribute))
			}
		}
	}
}
