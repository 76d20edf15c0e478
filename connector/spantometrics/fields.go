// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Keys that no sender has to write: their values are worked out from what is measured.
const (
	// keyEventName is the name of the event.
	keyEventName = "event.name"
	// keyAboutSchema is there on queries that ask the database about itself.
	keyAboutSchema = "query.about_schema"
	// keyTaskState is what an open task does.
	keyTaskState = "task.state"
)

// fieldSet is the attributes that a plan reads, all of them in one pass.
type fieldSet struct {
	fields []field
	// byLength lists the keys that are looked for by their length, which costs less than hashing every key.
	byLength [][]candidate
}

// field is an attribute by the keys under which it may be found, the best one first.
type field struct {
	keys []string
	// derive works the value out where no attribute has it.
	derive []deriveFunc
}

// candidate is one key of a field. Of several keys the one of the lowest rank, which begins at 1, is taken.
type candidate struct {
	key         string
	field, rank int
}

// newField makes a field of the keys that the operator wrote. A key of a payload may lack the prefix.
func newField(keys []string) field {
	f := field{}
	for _, key := range keys {
		f.keys = append(f.keys, key)
		if !strings.HasPrefix(key, lifecycle.AttributePrefix) {
			f.keys = append(f.keys, lifecycle.AttributePrefix+key)
		}
	}
	for _, key := range f.keys {
		if derive := deriveFuncOf(key); derive != nil {
			f.derive = append(f.derive, derive)
		}
	}
	return f
}

// add returns the index of a field, which is new unless the set has one of the same keys.
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
			continue // an event has one name, whatever its attributes say
		}
		for len(s.byLength) <= len(key) {
			s.byLength = append(s.byLength, nil)
		}
		s.byLength[len(key)] = append(s.byLength[len(key)], candidate{key, index, i + 1})
	}
	return index
}

// read finds the fields among attributes.
func (s *fieldSet) read(attrs pcommon.Map, into []fieldValue) {
	if len(s.byLength) == 0 {
		return
	}
	for key, attribute := range attrs.All() {
		if len(key) >= len(s.byLength) {
			continue
		}
		for _, c := range s.byLength[len(key)] {
			if c.key != key || attribute.Type() == pcommon.ValueTypeEmpty {
				continue // a key without a value is as good as none
			}
			if v := &into[c.field]; v.rank == rankUnknown || c.rank < v.rank {
				v.attribute, v.rank = attribute, c.rank
			}
		}
	}
}

// Ranks of a value that is not an attribute of what is measured.
const (
	rankUnknown = 0
	// rankAbsent is that of a value that is nowhere.
	rankAbsent = -1
	// rankText is that of a value that was worked out.
	rankText = -2
)

// fieldValue is what a field was found to be. It is valid while the pdata is.
type fieldValue struct {
	attribute pcommon.Value
	text      string
	rank      int
}

func (v *fieldValue) found() bool { return v.rank != rankAbsent }

// String returns the text of a value, without a copy where it is one.
func (v *fieldValue) String() string {
	switch {
	case v.rank < rankUnknown:
		return v.text
	case v.attribute.Type() == pcommon.ValueTypeStr:
		return v.attribute.Str()
	}
	return v.attribute.AsString()
}

// number reads a number, which some senders write as a string.
func (v *fieldValue) number() (float64, bool) {
	text := v.text
	if v.rank > rankUnknown {
		switch v.attribute.Type() {
		case pcommon.ValueTypeDouble:
			return v.attribute.Double(), true
		case pcommon.ValueTypeInt:
			return float64(v.attribute.Int()), true
		case pcommon.ValueTypeStr:
			text = v.attribute.Str()
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil
}

// isTrue is whether the attribute is a true one. Nothing else is looked up.
func (v *fieldValue) isTrue() bool { return v.rank > rankUnknown && v.attribute.Bool() }
