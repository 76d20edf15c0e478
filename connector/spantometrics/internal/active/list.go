// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

// links are an element's neighbors in a list.
type links[E any] struct{ previous, next *E }

// linked is an element with links.
type linked[E any] interface {
	*E
	links() *links[E]
}

// list is a doubly linked list.
type list[E any, P linked[E]] struct{ first, last *E }

func (l *list[E, P]) append(e *E) {
	own := P(e).links()
	own.previous, own.next = l.last, nil
	if l.last == nil {
		l.first = e
	} else {
		P(l.last).links().next = e
	}
	l.last = e
}

func (l *list[E, P]) remove(e *E) {
	own := P(e).links()
	if own.previous == nil {
		l.first = own.next
	} else {
		P(own.previous).links().next = own.next
	}
	if own.next == nil {
		l.last = own.previous
	} else {
		P(own.next).links().previous = own.previous
	}
	own.previous, own.next = nil, nil
}
