// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"
	"unsafe"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// Clone copies a tree, so that it can be kept after the assembler's sink has returned, with few allocations. Resource and strings
// are shared, because they are immutable.
func (t *Tree) Clone() *Tree {
	attributes, events := t.count()
	room := copier{make([]attribute.KeyValue, 0, attributes), make([]SpanEvent, 0, events)}
	kept := *t
	kept.steps = nil
	kept.Spans = slices.Clone(t.Spans)
	for i := range kept.Spans {
		s := &kept.Spans[i]
		s.Attributes, s.Events = room.copyAttributes(s.Attributes), room.copySpanEvents(s.Events)
		if s.Link != nil {
			link := *s.Link
			s.Link = &link
		}
	}
	return &kept
}

// Size returns about how many bytes the tree takes. Texts that are shared with the assembler's tasks are counted in full.
func (t *Tree) Size() int64 {
	attributes, events := t.count()
	n := int64(unsafe.Sizeof(*t)) + int64(len(t.Spans))*int64(unsafe.Sizeof(Span{})) +
		int64(attributes)*int64(unsafe.Sizeof(attribute.KeyValue{})) + int64(events)*int64(unsafe.Sizeof(SpanEvent{}))
	for i := range t.Spans {
		s := &t.Spans[i]
		n += int64(len(s.Message)) + textBytes(s.Attributes)
		for j := range s.Events {
			n += textBytes(s.Events[j].Attributes)
		}
	}
	return n
}

func (t *Tree) count() (attributes, events int) {
	for i := range t.Spans {
		s := &t.Spans[i]
		attributes += len(s.Attributes)
		events += len(s.Events)
		for j := range s.Events {
			attributes += len(s.Events[j].Attributes)
		}
	}
	return attributes, events
}

func textBytes(attrs []attribute.KeyValue) (n int64) {
	for i := range attrs {
		v := &attrs[i].Value
		n += int64(len(v.Text))
		for _, text := range v.Strings {
			n += int64(len(text)) + event.BytesPerString
		}
	}
	return n
}

// copier allocates from two lists.
type copier struct {
	attributes []attribute.KeyValue
	events     []SpanEvent
}

func (c *copier) copyAttributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	from := len(c.attributes)
	c.attributes = append(c.attributes, attrs...)
	kept := c.attributes[from:len(c.attributes):len(c.attributes)]
	for i := range kept {
		kept[i].Value.Strings = slices.Clone(kept[i].Value.Strings)
	}
	return kept
}

func (c *copier) copySpanEvents(events []SpanEvent) []SpanEvent {
	if len(events) == 0 {
		return nil
	}
	from := len(c.events)
	c.events = append(c.events, events...)
	kept := c.events[from:len(c.events):len(c.events)]
	for i := range kept {
		kept[i].Attributes = c.copyAttributes(kept[i].Attributes)
	}
	return kept
}
