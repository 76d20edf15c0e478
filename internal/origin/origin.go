// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package origin tells what a component of this process made from what came over the network. What the components say to
// each other in pdata - a scope's name, the id of a span, the stamp of the router - any sender can say too. So each marks
// the context of what it hands on. No receiver sets such a mark, whatever it is sent.
//
// The mark ends where a component takes data out of its context, as the batch processor does: what is behind it looks as
// if it had been received.
package origin

import "context"

// Maker is a component that made data.
type Maker uint8

const (
	// Received is data that no component of this process made.
	Received Maker = iota
	// Decoder is tasker_events: the records are what was decoded of requests, and hold nothing that a sender can stamp.
	Decoder
	// Router is event_router: the records have its decision and its identity of each event.
	Router
	// EventSpans is routed_events: the spans are events that event_router has decided on.
	EventSpans
	// Hierarchy is span_hierarchy: the spans are finished ones.
	Hierarchy
)

type key struct{}

// Mark returns a context of data that a component made.
func Mark(ctx context.Context, by Maker) context.Context { return context.WithValue(ctx, key{}, by) }

// Of is who made the data that comes with a context.
func Of(ctx context.Context) Maker {
	by, _ := ctx.Value(key{}).(Maker)
	return by
}
