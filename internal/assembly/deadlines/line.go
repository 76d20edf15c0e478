// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deadlines

// Place is the place of a value in a line. The value holds it.
type Place[T any] struct{ before, after T }

// InLine is a value that can be in a line. The zero value of the type stands for none.
type InLine[T any] interface {
	comparable
	Place() *Place[T]
}

// Line is values in the order of their last use: the first has been idle longest.
type Line[T InLine[T]] struct{ first, last T }

// First returns the value that has been idle longest, or the zero value when the line is empty.
func (l *Line[T]) First() T { return l.first }

// Join puts the value at the end.
func (l *Line[T]) Join(v T) {
	var none T
	*v.Place() = Place[T]{before: l.last}
	if l.last != none {
		l.last.Place().after = v
	} else {
		l.first = v
	}
	l.last = v
}

// Leave takes the value out.
func (l *Line[T]) Leave(v T) {
	var none T
	place := v.Place()
	if place.before != none {
		place.before.Place().after = place.after
	} else {
		l.first = place.after
	}
	if place.after != none {
		place.after.Place().before = place.before
	} else {
		l.last = place.before
	}
	*place = Place[T]{}
}

// Rejoin moves the value to the end.
func (l *Line[T]) Rejoin(v T) {
	if l.last != v {
		l.Leave(v)
		l.Join(v)
	}
}
