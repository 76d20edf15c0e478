// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"encoding/hex"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Search matches tasks that contain a text: in an id, in the name of the workflow, of the service or of a step, or in an error.
// ASCII letters match in either case. A nil Search matches all.
type Search struct {
	text  string
	steps map[*event.Shape]bool // results of earlier comparisons
}

// rememberedShapes bounds how many results are kept.
const rememberedShapes = 1 << 14

// NewSearch makes a search; it is nil for an empty text.
func NewSearch(text string) *Search {
	if text == "" {
		return nil
	}
	return &Search{text: lowerASCII(text), steps: map[*event.Shape]bool{}}
}

// In reports whether a text contains the searched one.
func (s *Search) In(text string) bool { return s == nil || containsFold(text, s.text) }

// IsKey reports whether the text begins a trace id in hexadecimal.
func (s *Search) IsKey(key event.TraceID) bool {
	var text [32]byte
	hex.Encode(text[:], key[:])
	return len(s.text) >= 6 && strings.HasPrefix(string(text[:]), s.text)
}

// IsID reports whether the text is an id, or a part of one that is not a number.
func (s *Search) IsID(id event.ID) bool {
	return s == nil || id.Text == s.text || !id.Integer && len(s.text) >= 4 && s.In(id.Text)
}

func (s *Search) finds(t *task) bool {
	if s == nil || s.IsID(t.Events.ID) || s.IsKey(t.Events.Trace) || s.In(t.Events.Name) ||
		t.Events.Parent != "" && s.In(t.Events.Parent) || s.InResource(t.Events.Resource) {
		return true
	}
	for _, id := range t.Events.CorrelationIDs {
		if s.In(id) {
			return true
		}
	}
	for i := range t.Events.Steps {
		shape := t.Events.Steps[i].Shape
		found, known := s.steps[shape]
		if !known {
			found = s.In(shape.Name)
			if len(s.steps) >= rememberedShapes {
				clear(s.steps)
			}
			s.steps[shape] = found
		}
		if found {
			return true
		}
	}
	for f := range t.Events.Failures() {
		if s.In(f.Class) || s.In(f.Message) {
			return true
		}
	}
	return false
}

// InResource reports whether the name of the service contains the text.
func (s *Search) InResource(r *event.Resource) bool {
	if r == nil {
		return false
	}
	for i := range r.Attributes {
		if r.Attributes[i].Key == lifecycle.AttrServiceName && s.In(r.Attributes[i].Value.Text) {
			return true
		}
	}
	return false
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// containsFold reports whether a text contains another, which is in lower case.
func containsFold(text, lower string) bool {
	for i := 0; i+len(lower) <= len(text); i++ {
		j := 0
		for ; j < len(lower); j++ {
			c := text[i+j]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c != lower[j] {
				break
			}
		}
		if j == len(lower) {
			return true
		}
	}
	return false
}
