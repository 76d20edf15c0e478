// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"
	"unsafe"
)

// Clone copies a tree, so that it can be kept after the assembler's sink has returned, into few pieces of memory. Resource
// and strings are shared: nobody changes them.
func (t *Tree) Clone() *Tree {
	attributes, notes := t.count()
	room := copier{make([]Attribute, 0, attributes), make([]Note, 0, notes)}
	kept := *t
	kept.steps = nil
	kept.Spans = slices.Clone(t.Spans)
	for i := range kept.Spans {
		s := &kept.Spans[i]
		s.Attributes, s.Notes = room.copyAttributes(s.Attributes), room.copyNotes(s.Notes)
		if s.Link != nil {
			link := *s.Link
			s.Link = &link
		}
	}
	return &kept
}

// Size is about how many bytes the tree takes. Texts that the assembler's tasks share count all the same.
func (t *Tree) Size() int64 {
	attributes, notes := t.count()
	n := int64(unsafe.Sizeof(*t)) + int64(len(t.Spans))*int64(unsafe.Sizeof(Span{})) +
		int64(attributes)*int64(unsafe.Sizeof(Attribute{})) + int64(notes)*int64(unsafe.Sizeof(Note{}))
	for i := range t.Spans {
		s := &t.Spans[i]
		n += int64(len(s.Message)) + textBytes(s.Attributes)
		for j := range s.Notes {
			n += textBytes(s.Notes[j].Attributes)
		}
	}
	return n
}

func (t *Tree) count() (attributes, notes int) {
	for i := range t.Spans {
		s := &t.Spans[i]
		attributes += len(s.Attributes)
		notes += len(s.Notes)
		for j := range s.Notes {
			attributes += len(s.Notes[j].Attributes)
		}
	}
	return attributes, notes
}

func textBytes(attrs []Attribute) (n int64) {
	for i := range attrs {
		v := &attrs[i].Value
		n += int64(len(v.Text))
		for _, text := range v.Strings {
			n += int64(len(text)) + bytesPerString
		}
	}
	return n
}

// copier hands out parts of two lists.
type copier struct {
	attributes []Attribute
	notes      []Note
}

func (c *copier) copyAttributes(attrs []Attribute) []Attribute {
	from := len(c.attributes)
	c.attributes = append(c.attributes, attrs...)
	kept := c.attributes[from:len(c.attributes):len(c.attributes)]
	for i := range kept {
		kept[i].Value.Strings = slices.Clone(kept[i].Value.Strings)
	}
	return kept
}

func (c *copier) copyNotes(notes []Note) []Note {
	if len(notes) == 0 {
		return nil
	}
	from := len(c.notes)
	c.notes = append(c.notes, notes...)
	kept := c.notes[from:len(c.notes):len(c.notes)]
	for i := range kept {
		kept[i].Attributes = c.copyAttributes(kept[i].Attributes)
	}
	return kept
}
