// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package origin distinguishes data made by components of this process from data received over the network. What components
// pass to each other in pdata (scope names, span IDs, the router's attributes) can be forged by any sender. So a component
// marks the context of the data it sends on; receivers of other data set no mark.
//
// The mark is lost where a component takes data out of its context, as the batch processor does. Components behind it treat
// the data as received.
//
// It has no state.
package origin

import "context"

// Maker is the component that made data.
type Maker uint8

const (
	// Received is data that no component of this process made.
	Received Maker = iota
	// Decoder is tasker_events: records decoded from requests, without attributes that a sender could forge.
	Decoder
	// LogDecoder is tasker_events as well: log records decoded from OTLP requests. Unlike those of Decoder, not all need be events of
	// Tasker or of an application.
	LogDecoder
	// Router is event_router: records with its decision and the event's identity.
	Router
	// EventSpans is routed_events: spans of events that event_router has routed.
	EventSpans
	// Hierarchy is span_hierarchy: finished spans.
	Hierarchy
)

type key struct{}

// Mark returns a context for data that a component made.
func Mark(ctx context.Context, by Maker) context.Context { return context.WithValue(ctx, key{}, by) }

// Of returns the maker of the data passed with a context.
func Of(ctx context.Context) Maker {
	by, _ := ctx.Value(key{}).(Maker)
	return by
}
