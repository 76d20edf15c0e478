// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// intake is the events of one call, sorted by shard. Its memory is reused for the next call, and belongs to one goroutine.
type intake struct {
	batched *eventbatch.Reader[struct{}]
	parts   []part
	events  int
	noTask  int64
	decoded []event.Event // so that an event that is stored and observed is read once
}

// part is the events of one scope, as spans, or of one batch.
type part struct {
	resource pcommon.Map
	spans    ptrace.SpanSlice
	batch    string // empty for spans
	of       [][]int
	decoded  []int // by shard, the index in the intake of the first decoded event, or notDecoded
}

const (
	notDecoded = -1
	// maxDecoded bounds the memory of the decoded events of an intake; further ones are read twice. An event has about 500 bytes.
	maxDecoded = 2048
)

func newIntake() *intake {
	return &intake{batched: eventbatch.NewPlainReader()}
}

// eventReader reads the events of parts. It serves one goroutine.
type eventReader struct {
	*treedata.Reader

	event event.Event
}

func newEventReader() *eventReader { return &eventReader{Reader: treedata.NewReader()} }

// sort finds the events of td and their shards. A batch that cannot be read is an error, which is permanent: sent again it would be
// the same.
func (in *intake) sort(h *hierarchy, td ptrace.Traces) error {
	for _, rs := range td.ResourceSpans().All() {
		resource := rs.Resource().Attributes()
		for _, ss := range rs.ScopeSpans().All() {
			if !ofEvents(ss) {
				continue
			}
			spans := in.begin(h, part{resource: resource, spans: ss.Spans()})
			for i, span := range ss.Spans().All() {
				if _, batched := span.Attributes().Get(lifecycle.AttrEventBatch); !batched || span.Name() != lifecycle.EventBatch {
					in.add(h, spans, span.TraceID(), i)
					continue
				}
				batch, isText := eventbatch.OfSpan(span)
				if !isText {
					return errBatch(errNoBatch)
				}
				if err := in.sortBatch(h, resource, batch); err != nil {
					return errBatch(err)
				}
			}
		}
	}
	return nil
}

// sortBatch finds those events of a batch that are for trees: routed_events passes on a batch as the router has written it, and has
// counted the others.
func (in *intake) sortBatch(h *hierarchy, resource pcommon.Map, batch eventbatch.Batch) error {
	defer in.batched.Close()
	if err := in.batched.Open(batch); err != nil {
		return err
	}
	place := in.begin(h, part{resource: resource, batch: batch.Events})
	for in.batched.Next() {
		signals, routed := in.batched.Signals()
		trace := in.batched.TraceID()
		if !signals.Has(lifecycle.SignalTraces) || routed && trace.IsEmpty() || in.batched.Shape().Name == "" {
			continue
		}
		in.add(h, place, trace, in.batched.Offset())
	}
	return in.batched.Err()
}

var errNoBatch = errors.New("the attribute of an event batch is not a string")

func errBatch(err error) error {
	return consumererror.NewPermanent(fmt.Errorf("span_hierarchy: %w", err))
}

// begin begins a part and returns its index.
func (in *intake) begin(h *hierarchy, p part) int {
	place := len(in.parts)
	if place < cap(in.parts) {
		p.of, p.decoded = in.parts[:place+1][place].of, in.parts[:place+1][place].decoded
	}
	if len(p.of) != len(h.shards) {
		p.of, p.decoded = make([][]int, len(h.shards)), make([]int, len(h.shards))
	}
	for i := range p.of {
		p.of[i], p.decoded[i] = p.of[i][:0], notDecoded
	}
	in.parts = append(in.parts, p)
	return place
}

// add records the event at a place of a part for its shard.
func (in *intake) add(h *hierarchy, of int, trace pcommon.TraceID, at int) {
	if trace.IsEmpty() {
		in.noTask++
		return
	}
	in.events++
	shard := h.placeOf(trace)
	in.parts[of].of[shard] = append(in.parts[of].of[shard], at)
}

// maxIdleEvents bounds the memory that an intake keeps after a large call.
const maxIdleEvents = 1 << 15

// forget releases the call's data. It reports whether the intake is worth keeping.
func (in *intake) forget() bool {
	small := in.events <= maxIdleEvents
	for i := range in.parts {
		in.parts[i] = part{of: in.parts[i].of, decoded: in.parts[i].decoded}
	}
	for i := range in.decoded {
		treedata.Empty(&in.decoded[i])
	}
	in.parts, in.events, in.noTask, in.decoded = in.parts[:0], 0, 0, in.decoded[:0]
	return small
}

// decode is read, and keeps the events in the intake for observe.
func (r *eventReader) decode(in *intake, p *part, shard int, read func(*event.Event)) error {
	if len(in.decoded)+len(p.of[shard]) > maxDecoded {
		return r.read(p, shard, read)
	}
	p.decoded[shard] = len(in.decoded)
	return r.each(p, shard, func(at int, resource *event.Resource) error {
		e := in.nextDecoded()
		if p.batch == "" {
			r.ofSpan(e, p.spans.At(at), resource)
		} else if err := r.ReadAt(e, at, resource); err != nil {
			return err
		}
		read(e)
		return nil
	})
}

// nextDecoded returns memory for another decoded event, which is valid until the next call.
func (in *intake) nextDecoded() *event.Event {
	n := len(in.decoded)
	if n < cap(in.decoded) {
		in.decoded = in.decoded[:n+1]
	} else {
		in.decoded = append(in.decoded, event.Event{})
	}
	return &in.decoded[n]
}

// observe visits the events of a part of one shard: those that decode has kept, or it reads them. An event is valid until observe
// returns. Its resource is one of this reader: a shard gets equal resources as one.
func (r *eventReader) observe(in *intake, p *part, shard int, observe func(*event.Event)) error {
	first := p.decoded[shard]
	if first == notDecoded {
		return r.read(p, shard, observe)
	}
	resource := r.Resource(p.resource)
	for i := range in.decoded[first : first+len(p.of[shard])] {
		e := &in.decoded[first+i]
		e.Resource = resource
		observe(e)
	}
	return nil
}

// read reads the events of a part of one shard. An event is valid until read returns.
func (r *eventReader) read(p *part, shard int, read func(*event.Event)) error {
	return r.each(p, shard, func(at int, resource *event.Resource) error {
		e := &r.event
		if p.batch == "" {
			r.ofSpan(e, p.spans.At(at), resource)
		} else {
			var err error
			if e, err = r.At(at, resource); err != nil {
				return err
			}
		}
		read(e)
		return nil
	})
}

// each visits the places of a part's events of one shard, while its batch is open.
func (r *eventReader) each(p *part, shard int, visit func(at int, resource *event.Resource) error) error {
	if len(p.of[shard]) == 0 {
		return nil
	}
	resource := r.Resource(p.resource)
	if p.batch != "" {
		defer r.Close()
		if err := r.Open(p.batch); err != nil {
			return errBatch(err)
		}
	}
	for _, at := range p.of[shard] {
		if err := visit(at, resource); err != nil {
			return errBatch(err)
		}
	}
	return nil
}

// ofSpan reads an event span.
func (r *eventReader) ofSpan(e *event.Event, span ptrace.Span, resource *event.Resource) {
	id := span.SpanID()
	r.Read(e, span.Name(), span.TraceID(), binary.BigEndian.Uint64(id[:]), span.StartTimestamp(), resource, span.Attributes())
}
