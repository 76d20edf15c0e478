// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import "slices"

// Shape is what many events have in common: their name, and the keys of their attributes in order.
type Shape struct {
	Name string
	Keys []string
	// Message is true if a record of such an event has a readable line as its body.
	Message bool

	encoded string
}

// NewShape makes a shape. The keys are copied, and differ.
func NewShape(name string, keys []string, message bool) *Shape {
	s := &Shape{Name: name, Keys: slices.Clone(keys), Message: message}
	b := appendText(nil, name)
	b = append(b, flag(message))
	b = appendUint(b, uint64(len(keys)))
	for _, key := range keys {
		b = appendText(b, key)
	}
	s.encoded = string(b)
	return s
}

// maxShapeBytes bounds a shape, so that those remembered take little memory and the search for a key little time.
const maxShapeBytes = 4096

// fits reports whether a batch can have events of this shape.
func (s *Shape) fits() bool { return len(s.encoded) <= maxShapeBytes }

// Place returns the index of a key, or -1.
func (s *Shape) Place(key string) int { return slices.Index(s.Keys, key) }

// Places is a set of the places of keys in a shape. It has all those behind the first 64.
type Places uint64

// AllPlaces has all places.
const AllPlaces = ^Places(0)

const countedPlaces = 64

// With returns the set with another place.
func (p Places) With(place int) Places { return p | 1<<place }

func (p Places) has(place int) bool { return place >= countedPlaces || p>>place&1 != 0 }

// readShape reads a shape whose strings are parts of encoded.
func readShape(encoded string) (*Shape, error) {
	in := input{rest: encoded}
	s := &Shape{encoded: encoded, Name: in.text(), Message: in.flag()}
	if !s.fits() {
		return nil, errMalformed
	}
	for range in.count() {
		key := in.text()
		if slices.Contains(s.Keys, key) {
			in.fail()
		}
		s.Keys = append(s.Keys, key)
	}
	if in.bad || in.rest != "" {
		return nil, errMalformed
	}
	return s, nil
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}
