// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"
	"strings"
)

// step is a node of the task's graph, as far as events describe it.
type step struct {
	id ID
	*shape
}

// shape is the part of a step that is equal in other tasks of its workflow. It is shared and immutable.
type shape struct {
	name string
	deps []string // names of the steps that it depends on; nil while unknown
}

// unnamed is the shape of a step of which only the id is known.
var unnamed shape

// stepIndex finds or adds the step. Tasks have few steps, so a scan beats a map.
func (s *Set) stepIndex(shared *Shared, id ID, name string) int16 {
	if i := s.findStep(id.Text); i != noStep {
		if s.steps[i].name == "" && name != "" {
			s.steps[i].shape = shared.shape(name, s.steps[i].deps)
		}
		return i
	}
	if len(s.steps) >= maxSteps {
		return noStep
	}
	if len(s.steps) == cap(s.steps) {
		s.steps = slices.Grow(s.steps, max(stepsAtOnce, len(s.steps)/4))
	}
	s.steps = append(s.steps, step{ID{strings.Clone(id.Text), id.Integer}, shared.shape(name, nil)})
	s.held += bytesPerStep + int64(len(id.Text))
	i := int16(len(s.steps) - 1)
	if s.places != nil {
		s.places[s.steps[i].id.Text] = i
		s.held += bytesPerPlace
	}
	return i
}

// findStep returns the index of a step, or noStep. Few steps are scanned; many, for which scans would cost their square, are
// indexed.
func (s *Set) findStep(id string) int16 {
	if len(s.steps) <= mostSearched {
		for i := range s.steps {
			if s.steps[i].id.Text == id {
				return int16(i)
			}
		}
		return noStep
	}
	if s.places == nil {
		s.places = make(map[string]int16, 2*len(s.steps))
		for i := range s.steps {
			s.places[s.steps[i].id.Text] = int16(i)
		}
		s.held += int64(len(s.steps)) * bytesPerPlace
	}
	if i, found := s.places[id]; found {
		return i
	}
	return noStep
}

const (
	// mostSearched is the number of steps up to which they are scanned.
	mostSearched = 64
	// stepsAtOnce is by how many steps a task grows at least.
	stepsAtOnce = 3
	// maxSteps is the number of steps that a record's index can name.
	maxSteps = 1<<15 - 1
)

// stepName returns the name of a step, or its id where no event has named it.
func (s *Set) stepName(i int16) string {
	if name := s.steps[i].name; name != "" {
		return name
	}
	return s.steps[i].id.Text
}
