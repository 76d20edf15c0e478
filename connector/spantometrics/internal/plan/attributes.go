// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Attributes are the attributes of an item: those of pdata, or of an event in a batch.
type Attributes struct {
	pdata pcommon.Map
	// shape is nil for pdata.
	shape  *Shape
	values []eventbatch.Value
	head   *eventbatch.Head
}

// Pdata returns the attributes of a record or span.
func Pdata(attrs pcommon.Map) Attributes { return Attributes{pdata: attrs} }

// OfEvent returns the attributes of an event in a batch. They are valid until the batch's next event. The head is read only if
// ReadsHead is true.
func (s *Shape) OfEvent(head *eventbatch.Head, values []eventbatch.Value) Attributes {
	return Attributes{shape: s, head: head, values: values}
}

// Attribute is an attribute that is read without being a field of a plan.
type Attribute uint8

// The attributes that are read without being fields.
const (
	TaskID Attribute = iota
	StepID
	FinalStatus
	traceparent
	sql
	sqlName
	attributes
)

// key returns the key of an attribute.
func (a Attribute) key() string {
	switch a {
	case TaskID:
		return lifecycle.AttrTaskID
	case StepID:
		return lifecycle.AttrStepID
	case FinalStatus:
		return lifecycle.AttrFinalStatus
	case traceparent:
		return lifecycle.AttrTraceparent
	case sql:
		return lifecycle.AttrSQL
	}
	return lifecycle.AttrName
}

// Get returns the value of an attribute; KindNothing if there is none.
func (a *Attributes) Get(attribute Attribute) eventbatch.Value {
	if a.shape == nil {
		if found, ok := a.pdata.Get(attribute.key()); ok {
			return valueOf(found)
		}
		return eventbatch.Value{}
	}
	if place := a.shape.places[attribute]; place >= 0 {
		return a.values[place]
	}
	return eventbatch.Value{}
}

// Text returns the text of an attribute; empty if it is missing or not a text.
func (a *Attributes) Text(attribute Attribute) string {
	if value := a.Get(attribute); value.Kind == eventbatch.KindText {
		return value.Text
	}
	return ""
}

// read finds fields among the attributes.
func (a *Attributes) read(fields *fieldSet, into []value) {
	if a.shape == nil {
		fields.read(a.pdata, into)
		return
	}
	for _, c := range a.shape.candidatesOf(fields) {
		into[c.field].take(c.rank, a.at(c.place))
	}
}

// at returns the value at a place of the shape.
func (a *Attributes) at(place int) eventbatch.Value {
	if place < len(a.values) {
		return a.values[place]
	}
	return a.stamp(stamp(place - len(a.values)))
}

// stamp returns the value of an attribute that only the collector writes. It is part of the event's head.
func (a *Attributes) stamp(of stamp) eventbatch.Value {
	switch {
	case of == stampIdentity:
		return eventbatch.Int(int64(a.head.Identity))
	case of == stampSignals && a.head.Routed:
		return eventbatch.Text(a.head.Signals.String())
	case of == stampPriority && a.head.Routed && a.head.Priority != lifecycle.PriorityNormal:
		return eventbatch.Text(string(a.head.Priority))
	}
	return eventbatch.Value{}
}
