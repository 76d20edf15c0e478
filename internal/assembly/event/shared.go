// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
)

// Shared has values that are equal in many tasks, so that each is kept once. It belongs to the assembler, whose owner serializes all
// calls. What it returns is immutable and may be kept.
type Shared struct {
	names     map[string]string
	lately    map[string]string
	details   map[string]*Detail // with a text only
	shapes    map[string]*Shape
	resources map[string]*Resource // restored ones

	key     []byte  // buffer for a key of shapes or resources
	indexes []int16 // buffer for reading a discovery
}

// NewShared makes an empty set of shared values.
func NewShared() *Shared {
	return &Shared{
		names: map[string]string{}, lately: map[string]string{}, details: map[string]*Detail{}, shapes: map[string]*Shape{}, resources: map[string]*Resource{},
	}
}

const (
	// internedNames bounds the memory of strings that many tasks share: names of tasks, steps, queues and error classes.
	internedNames = 1 << 16
	// sharedLately bounds how many short-lived texts are shared, such as correlation ids of a worker's threads and the texts of
	// custom events.
	sharedLately = 1 << 10
	// sharedShapes bounds how many shapes are shared.
	sharedShapes = 1 << 14
	// sharedDetails bounds how many details are shared.
	sharedDetails = 1024
	// sharedResources bounds how many restored resources are shared.
	sharedResources = 4096
)

// Intern returns a copy of the string that it shares with equal ones.
func (h *Shared) Intern(s string) string { return share(h.names, internedNames, s) }

// internLately is intern for strings that are equal in a few tasks at a time.
func (h *Shared) internLately(s string) string { return share(h.lately, sharedLately, s) }

func share(known map[string]string, limit int, s string) string {
	if s == "" {
		return ""
	}
	if same, ok := known[s]; ok {
		return same
	}
	s = strings.Clone(s)
	if len(s) <= 64 {
		makeRoom(known, limit)
		known[s] = s
	}
	return s
}

// makeRoom empties a map of shared values that is full, so that values that occur once, such as correlation ids, do not displace
// frequent ones. References handed out earlier stay valid.
func makeRoom[V any](known map[string]V, limit int) {
	if len(known) >= limit {
		clear(known)
	}
}

// detail returns the detail for one of the few texts that passes, batches and jobs carry, such as a mode or status.
func (h *Shared) detail(text string) *Detail {
	if d, ok := h.details[text]; ok {
		return d
	}
	d := &Detail{Text: h.Intern(text)}
	d.weigh()
	makeRoom(h.details, sharedDetails)
	h.details[d.Text] = d
	return d
}

// Shape returns the shape of the name and dependencies.
func (h *Shared) Shape(name string, deps []string) *Shape {
	if name == "" && len(deps) == 0 {
		return &unnamed
	}
	h.key = append(append(h.key[:0], name...), 0)
	for _, dep := range deps {
		h.key = append(append(h.key, dep...), 0)
	}
	if known, ok := h.shapes[string(h.key)]; ok {
		return known
	}
	s := &Shape{Name: h.Intern(name)}
	for _, dep := range deps {
		s.Deps = append(s.Deps, h.Intern(dep))
	}
	makeRoom(h.shapes, sharedShapes)
	h.shapes[string(h.key)] = s
	return s
}

// Resource returns the resource with the attributes.
func (h *Shared) Resource(attributes []attribute.KeyValue) *Resource {
	h.key = h.key[:0]
	for i := range attributes {
		h.key = attribute.Append(h.key, &attributes[i])
	}
	if known, ok := h.resources[string(h.key)]; ok {
		return known
	}
	r := &Resource{Attributes: attributes}
	makeRoom(h.resources, sharedResources)
	h.resources[string(h.key)] = r
	return r
}

func (h *Shared) copyAttributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	if len(attrs) == 0 {
		return nil
	}
	kept := make([]attribute.KeyValue, len(attrs))
	for i, attr := range attrs {
		attr.Key = h.Intern(attr.Key)
		attr.Value.Text = h.internLately(attr.Value.Text)
		if len(attr.Value.Strings) > 0 {
			list := make([]string, len(attr.Value.Strings))
			for j, s := range attr.Value.Strings {
				list[j] = strings.Clone(s)
			}
			attr.Value.Strings = list
		}
		kept[i] = attr
	}
	return kept
}
