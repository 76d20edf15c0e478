// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"slices"
	"strings"
)

// Step is a node of the task's graph, as far as events describe it.
type Step struct {
	ID ID
	*Shape
}

// Shape is the part of a step that is equal in other tasks of its workflow. It is shared and immutable.
type Shape struct {
	Name string
	Deps []string // names of the steps that it depends on; nil while unknown
}

// unnamed is the shape of a step of which only the id is known.
var unnamed Shape

// stepIndex finds or adds the step. Tasks have few steps, so a scan beats a map.
func (s *Set) stepIndex(shared *Shared, id ID, name string) int16 {
	if i := s.FindStep(id.Text); i != NoStep {
		if s.Steps[i].Name == "" && name != "" {
			s.Steps[i].Shape = shared.Shape(name, s.Steps[i].Deps)
		}
		return i
	}
	if len(s.Steps) >= maxSteps {
		return NoStep
	}
	if len(s.Steps) == cap(s.Steps) {
		s.Steps = slices.Grow(s.Steps, max(stepsAtOnce, len(s.Steps)/4))
	}
	s.Steps = append(s.Steps, Step{ID{strings.Clone(id.Text), id.Integer}, shared.Shape(name, nil)})
	s.Held += BytesPerStep + int64(len(id.Text))
	i := int16(len(s.Steps) - 1)
	if s.places != nil {
		s.places[s.Steps[i].ID.Text] = i
		s.Held += bytesPerPlace
	}
	return i
}

// FindStep returns the index of a step, or NoStep. Few steps are scanned; many, for which scans would cost their square, are
// indexed.
func (s *Set) FindStep(id string) int16 {
	if len(s.Steps) <= mostSearched {
		for i := range s.Steps {
			if s.Steps[i].ID.Text == id {
				return int16(i)
			}
		}
		return NoStep
	}
	if s.places == nil {
		s.places = make(map[string]int16, 2*len(s.Steps))
		for i := range s.Steps {
			s.places[s.Steps[i].ID.Text] = int16(i)
		}
		s.Held += int64(len(s.Steps)) * bytesPerPlace
	}
	if i, found := s.places[id]; found {
		return i
	}
	return NoStep
}

const (
	// mostSearched is the number of steps up to which they are scanned.
	mostSearched = 64
	// stepsAtOnce is by how many steps a task grows at least.
	stepsAtOnce = 3
	// maxSteps is the number of steps that a record's index can name.
	maxSteps = 1<<15 - 1
)

// StepName returns the name of a step, or its id where no event has named it.
func (s *Set) StepName(i int16) string {
	if name := s.Steps[i].Name; name != "" {
		return name
	}
	return s.Steps[i].ID.Text
}
