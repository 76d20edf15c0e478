// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fields of a checkpoint. The nodes of the critical path come before the attempts that point to them.
const (
	checkpointRun protowire.Number = iota + 1
	checkpointPass
	checkpointAnnounced
	checkpointFailure
	checkpointEvents // on the task's span
	checkpointPassEvents
	checkpointNode
	checkpointStep
	checkpointLatest
)

// appendCheckpoint appends a checkpoint and the summary of what it replaces, with the base, task and texts of the encoder.
func appendCheckpoint(b []byte, cp *history.Checkpoint, sum *summary, with *encoder) []byte {
	run := with.begin()
	run.Times(cp.At, cp.Start, sum.queued)
	run.Ints(int64(cp.Position), int64(cp.Room.Spans), cp.Room.Bytes, int64(sum.totals.attempts), int64(sum.totals.retries),
		sum.totals.queue, sum.totals.backoff)
	run.ownCorrelationID(sum.own)
	b = fields.Message(b, checkpointRun, run.Data)
	b = fields.Message(b, checkpointPass, appendPass(with.begin(), &cp.Pass))
	announced := with.begin()
	announced.Ints(values.Flag(cp.Announced.Created, 1)|values.Flag(cp.Announced.Enqueued, 2), int64(cp.Announced.Jobs), int64(cp.Announced.LastJob),
		int64(cp.Announced.Discoveries), int64(cp.Announced.Idle), int64(cp.Announced.Ends), int64(cp.Announced.Completed))
	b = fields.Message(b, checkpointAnnounced, announced.Data)
	if sum.failure != nil {
		failure := with.begin()
		failure.Text(sum.failure.Class)
		failure.OwnText(sum.failure.Message)
		b = fields.Message(b, checkpointFailure, failure.Data)
	}
	b = sum.notes.appendTo(b, checkpointEvents, with.begin())
	b = sum.inPass.appendTo(b, checkpointPassEvents, with.begin())
	places := map[*critical.Node]int64{}
	for _, node := range sum.nodes {
		b = appendNode(b, node, with, places)
	}
	b = appendNode(b, sum.latest, with, places)
	for i := range cp.Steps {
		b = fields.Message(b, checkpointStep, appendAttempt(with.begin(), &cp.Steps[i], sum.nodes[i], places))
	}
	return fields.Int(b, checkpointLatest, places[sum.latest])
}

// ownCorrelationID appends a correlation id: its index in the task, counted from 1, if it has one, else 0 and the id.
func (e *encoder) ownCorrelationID(id string) {
	if !e.inJournal() {
		if i := slices.Index(e.set.CorrelationIDs, id); i >= 0 {
			e.Ints(int64(i + 1))
			return
		}
	}
	e.Ints(0)
	e.OwnText(id)
}

func (d *decoder) ownCorrelationID() string {
	place := d.Int()
	switch {
	case place == 0:
		return d.OwnText()
	case d.inJournal() || place < 0 || place > int64(len(d.set.CorrelationIDs)):
		d.Fail()
		return ""
	}
	return d.set.CorrelationIDs[place-1]
}

func appendPass(to *encoder, p *history.Pass) []byte {
	to.Times(p.Start, p.End, p.Finalizing, p.Searching)
	to.Ints(int64(p.Index), int64(p.BatchesBefore), int64(p.Finalizations), int64(p.Ends), int64(p.IdleTimes),
		values.Flag(p.Synthesized, 1)|values.Flag(p.Idle, 2)|values.Flag(p.Out, 4))
	to.ID(p.Span)
	to.Text(p.FinalStatus)
	to.correlationID(p.CorrelationID)
	return to.Data
}

func (n *spanEvents) appendTo(b []byte, number protowire.Number, to *encoder) []byte {
	if len(n.list) == 0 {
		return b
	}
	to.Ints(int64(n.dropped), int64(len(n.list)))
	for i := range n.list {
		event := &n.list[i]
		to.Text(event.Name)
		to.Times(event.At)
		to.Ints(int64(len(event.Attributes)))
		for j := range event.Attributes {
			to.attribute(&event.Attributes[j])
		}
	}
	return fields.Message(b, number, to.Data)
}

func (e *encoder) attribute(a *attribute.KeyValue) {
	v := &a.Value
	e.Text(a.Key)
	e.Ints(int64(v.Kind))
	switch v.Kind {
	case attribute.KindString:
		e.Text(v.Text)
	case attribute.KindInt, attribute.KindBool:
		e.Ints(v.Int)
	case attribute.KindDouble:
		e.Float(v.Double)
	case attribute.KindStrings:
		e.Ints(int64(len(v.Strings)))
		for _, text := range v.Strings {
			e.Text(text)
		}
	}
}

func (d *decoder) attribute() (a attribute.KeyValue) {
	a.Key = d.Text()
	a.Value.Kind = attribute.Kind(d.Int())
	switch v := &a.Value; v.Kind {
	case attribute.KindString:
		v.Text = d.Text()
	case attribute.KindInt, attribute.KindBool:
		v.Int = d.Int()
	case attribute.KindDouble:
		v.Double = d.Float()
	case attribute.KindStrings:
		for count := d.Int(); count > 0 && d.Err == nil; count-- {
			v.Strings = append(v.Strings, d.Text())
		}
	default:
		d.Fail()
	}
	return a
}

// appendNode appends the node after its predecessors. Places count from 1; 0 is none.
func appendNode(b []byte, n *critical.Node, with *encoder, places map[*critical.Node]int64) []byte {
	var chain []*critical.Node
	for node := n; node != nil && places[node] == 0; node = node.Before {
		chain = append(chain, node)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		node := chain[i]
		places[node] = int64(len(places) + 1)
		to := with.begin()
		to.ID(node.Span)
		to.Times(node.End)
		to.Ints(int64(node.Step), int64(node.Length), node.Took, node.Waited, node.Parts.Steps, node.Parts.Queue, node.Parts.Backoff,
			node.Parts.Orchestration, places[node.Before])
		b = fields.Message(b, checkpointNode, to.Data)
	}
	return b
}

// Flags of a step's last attempt.
const (
	attemptHandled = 1 << iota
	attemptReset
	attemptBackoff
	attemptIsNode // its span and end are those of its node
)

func appendAttempt(to *encoder, s *history.AttemptState, node *critical.Node, places map[*critical.Node]int64) []byte {
	isNode := node != nil && node.Span == s.Span && node.End == s.End
	to.Ints(values.Flag(s.Handled, attemptHandled)|values.Flag(s.Reset, attemptReset)|values.Flag(s.Backoff != nil, attemptBackoff)|values.Flag(isNode, attemptIsNode),
		int64(s.Step), int64(s.Number), int64(s.Started), int64(s.Requests), int64(s.Ends), places[node])
	if !isNode {
		to.ID(s.Span)
		to.Times(s.End)
	}
	to.Text(string(s.Status))
	if k := s.Backoff; k != nil {
		d := to.set.Detail(&k.Record)
		to.Times(k.At, k.PassStart)
		to.Ints(int64(k.Identity), values.Flag(k.Out, 1))
		to.correlationID(k.PassCorrelation)
		if to.inJournal() {
			to.Float(d.Seconds)
			to.Text(d.Text)
		} else {
			to.Ints(int64(k.Detail))
		}
	}
	return to.Data
}

// parseCheckpoint reads a checkpoint.
func parseCheckpoint(from *decoder) (*history.Checkpoint, *summary, error) {
	cp, sum := &history.Checkpoint{}, &summary{}
	nodes := []*critical.Node{nil}
	latest := int64(0)
	node := func(place int64) (*critical.Node, error) {
		if place < 0 || place >= int64(len(nodes)) {
			return nil, fmt.Errorf("node %d of %d", place, len(nodes))
		}
		return nodes[place], nil
	}
	step := func(what string, i int16) error {
		if steps := len(from.set.Steps); i < 0 || int(i) >= steps {
			return fmt.Errorf("%s of step %d, of which there are %d", what, i, steps)
		}
		return nil
	}
	err := fields.Read(from.Data, func(f *fields.Field) (err error) {
		d := from.of(f.Data)
		switch f.Number {
		case checkpointRun:
			cp.At, cp.Start, sum.queued, cp.Position = d.Time(), d.Time(), d.Time(), int(d.Int())
			cp.Room = history.Room{Spans: int(d.Int()), Bytes: d.Int()}
			sum.totals = totals{int(d.Int()), int(d.Int()), d.Int(), d.Int()}
			sum.own = d.ownCorrelationID()
		case checkpointPass:
			parsePass(d, &cp.Pass)
		case checkpointAnnounced:
			flags := d.Int()
			cp.Announced = history.Announced{
				Created: flags&1 != 0, Enqueued: flags&2 != 0, Jobs: int(d.Int()), LastJob: int16(d.Int()), Discoveries: int(d.Int()),
				Idle: int(d.Int()), Ends: int(d.Int()), Completed: int16(d.Int()),
			}
		case checkpointFailure:
			sum.failure = &event.Failure{Class: d.Text(), Message: d.OwnText()}
		case checkpointEvents:
			sum.notes.parse(d)
		case checkpointPassEvents:
			sum.inPass.parse(d)
		case checkpointNode:
			read := &critical.Node{Span: d.ID(), End: d.Time(), Step: int16(d.Int()), Length: int32(d.Int()), Took: d.Int(), Waited: d.Int()}
			read.Parts = critical.Parts{Steps: d.Int(), Queue: d.Int(), Backoff: d.Int(), Orchestration: d.Int()}
			if read.Before, err = node(d.Int()); err != nil {
				return err
			}
			if err := step("a node", read.Step); err != nil {
				return err
			}
			nodes = append(nodes, read)
		case checkpointStep:
			s, of, err := parseAttempt(d, node)
			if err != nil {
				return err
			}
			if err := step("an attempt", s.Step); err != nil {
				return err
			}
			cp.Steps, sum.nodes = append(cp.Steps, s), append(sum.nodes, of)
		case checkpointLatest:
			latest = f.Int()
		}
		return d.Err
	})
	if err == nil {
		sum.latest, err = node(latest)
	}
	return cp, sum, err
}

func parsePass(d *decoder, p *history.Pass) {
	p.Start, p.End, p.Finalizing, p.Searching = d.Time(), d.Time(), d.Time(), d.Time()
	p.Index, p.BatchesBefore, p.Finalizations, p.Ends, p.IdleTimes = int(d.Int()), int(d.Int()), int(d.Int()), int(d.Int()), int(d.Int())
	flags := d.Int()
	p.Synthesized, p.Idle, p.Out = flags&1 != 0, flags&2 != 0, flags&4 != 0
	p.Span = d.ID()
	p.FinalStatus = d.Text()
	p.CorrelationID = d.correlationID()
}

func (n *spanEvents) parse(d *decoder) {
	n.dropped = uint32(d.Int())
	for count := d.Int(); count > 0 && d.Err == nil; count-- {
		event := SpanEvent{Name: d.Text(), At: d.Time()}
		for attributes := d.Int(); attributes > 0 && d.Err == nil; attributes-- {
			event.Attributes = append(event.Attributes, d.attribute())
		}
		n.list = append(n.list, event)
	}
}

func parseAttempt(d *decoder, nodeAt func(place int64) (*critical.Node, error)) (s history.AttemptState, node *critical.Node, err error) {
	flags := d.Int()
	s.Handled, s.Reset = flags&attemptHandled != 0, flags&attemptReset != 0
	s.Step, s.Number, s.Started = int16(d.Int()), int32(d.Int()), int32(d.Int())
	s.Requests, s.Ends = uint8(d.Int()), uint8(d.Int())
	if node, err = nodeAt(d.Int()); err != nil {
		return s, nil, err
	}
	switch {
	case flags&attemptIsNode == 0:
		s.Span, s.End = d.ID(), d.Time()
	case node == nil:
		return s, nil, values.ErrCut
	default:
		s.Span, s.End = node.Span, node.End
	}
	s.Status = lifecycle.Status(d.Text())
	if flags&attemptBackoff != 0 {
		s.Backoff = parseBackoff(d, s.Step)
	}
	return s, node, d.Err
}

func parseBackoff(d *decoder, step int16) *history.PendingBackoff {
	k := &history.PendingBackoff{Record: event.Record{Kind: event.Backoff, Step: step, Number: -1}}
	k.At, k.PassStart, k.Identity, k.Out = d.Time(), d.Time(), uint32(d.Int()), d.Int() != 0
	k.PassCorrelation = d.correlationID()
	if d.inJournal() {
		k.Detail = d.set.KeepDetail(&event.Detail{Seconds: d.Float(), Text: d.Text()})
		return k
	}
	place := d.Int()
	if !d.set.HasDetail(place) {
		d.Fail()
		return k
	}
	k.Detail = uint16(place)
	return k
}
