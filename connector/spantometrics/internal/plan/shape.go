// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Shape is what is known of the events of a shape: their plan, and where their attributes are among their values. It does not change.
type Shape struct {
	// Name is the canonical name of the events; empty if they have none.
	Name string
	Plan *Plan
	// Reads are the places of the values that are read, and ReadsHead is true if attributes in the head are.
	Reads     eventbatch.Places
	ReadsHead bool
	// places are the places of the values; -1 for those that the events lack.
	places [attributes]int
	// read are the attributes that are fields of plans.
	read []fieldPlaces
}

// fieldPlaces are the attributes of a shape that are fields of a set.
type fieldPlaces struct {
	fields *fieldSet
	at     []placed
}

// placed is an attribute at a place that is a candidate for a field.
type placed struct{ place, field, rank int }

// stamp is an attribute that only the collector writes. The stamps' places follow those of the values.
type stamp int

const (
	stampIdentity stamp = iota
	stampSignals
	stampPriority
	stamps
)

func (s stamp) key() string {
	switch s {
	case stampIdentity:
		return lifecycle.AttrIdentity
	case stampSignals:
		return lifecycle.AttrSignals
	}
	return lifecycle.AttrPriority
}

// ShapeOf returns what is known of the events of a shape.
func (s *Set) ShapeOf(of *eventbatch.Shape) Shape {
	name := lifecycle.Canonical(of.Name)
	made := Shape{Name: name, Plan: s.OfEvent(name)}
	for attribute := range attributes {
		place := of.Place(attribute.key())
		if made.places[attribute] = place; place >= 0 {
			made.Reads = made.Reads.With(place)
		}
	}
	made.read = append(made.read, placesIn(of, &made.Plan.fields))
	for _, open := range []*Open{s.Tasks, s.Steps} {
		if open != nil {
			made.read = append(made.read, placesIn(of, &open.fields))
		}
	}
	for i := range made.read {
		for _, c := range made.read[i].at {
			made.Reads = made.Reads.With(c.place)
			made.ReadsHead = made.ReadsHead || c.place >= len(of.Keys)
		}
	}
	return made
}

// placesIn finds the fields of a set among the keys of a shape.
func placesIn(of *eventbatch.Shape, fields *fieldSet) fieldPlaces {
	found := fieldPlaces{fields: fields}
	add := func(key string, place int) {
		for _, c := range fields.candidates(key) {
			if c.key == key {
				found.at = append(found.at, placed{place, c.field, c.rank})
			}
		}
	}
	for place, key := range of.Keys {
		add(key, place)
	}
	for s := range stamps {
		add(s.key(), len(of.Keys)+int(s))
	}
	return found
}

func (s *Shape) candidatesOf(fields *fieldSet) []placed {
	for i := range s.read {
		if s.read[i].fields == fields {
			return s.read[i].at
		}
	}
	return nil
}
