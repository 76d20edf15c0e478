// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

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

// appendTo appends the checkpoint, with the base, task and texts of the encoder.
func (cp *checkpoint) appendTo(b []byte, with *encoder) []byte {
	run := with.begin()
	run.times(cp.at, cp.start, cp.queued)
	run.ints(int64(cp.position), int64(cp.room.spans), cp.room.bytes, int64(cp.totals.attempts), int64(cp.totals.retries),
		cp.totals.queue, cp.totals.backoff)
	run.ownCorrelationID(cp.own)
	b = fields.Message(b, checkpointRun, run.data)
	b = fields.Message(b, checkpointPass, cp.appendPass(with.begin()))
	announced := with.begin()
	announced.ints(flag(cp.announced.created, 1)|flag(cp.announced.enqueued, 2), int64(cp.announced.jobs), int64(cp.announced.lastJob),
		int64(cp.announced.discoveries), int64(cp.announced.idle), int64(cp.announced.ends), int64(cp.announced.completed))
	b = fields.Message(b, checkpointAnnounced, announced.data)
	if cp.failure != nil {
		failure := with.begin()
		failure.text(cp.failure.class)
		failure.ownText(cp.failure.message)
		b = fields.Message(b, checkpointFailure, failure.data)
	}
	b = cp.notes.appendTo(b, checkpointEvents, with.begin())
	b = cp.inPass.appendTo(b, checkpointPassEvents, with.begin())
	places := map[*pathNode]int64{}
	for i := range cp.steps {
		b = cp.steps[i].node.appendTo(b, with, places)
	}
	b = cp.latest.appendTo(b, with, places)
	for i := range cp.steps {
		b = fields.Message(b, checkpointStep, cp.steps[i].appendTo(with.begin(), places))
	}
	return fields.Int(b, checkpointLatest, places[cp.latest])
}

// ownCorrelationID appends a correlation id: its index in the task, counted from 1, if it has one, else 0 and the id.
func (e *encoder) ownCorrelationID(id string) {
	if e.texts != nil {
		for i := range e.task.correlationIDs {
			if e.task.correlationIDs[i] == id {
				e.ints(int64(i + 1))
				return
			}
		}
	}
	e.ints(0)
	e.ownText(id)
}

func (d *decoder) ownCorrelationID() string {
	place := d.int()
	switch {
	case place == 0:
		return d.ownText()
	case d.texts == nil || place < 0 || place > int64(len(d.task.correlationIDs)):
		d.fail()
		return ""
	}
	return d.task.correlationIDs[place-1]
}

func (cp *checkpoint) appendPass(to *encoder) []byte {
	p := &cp.pass
	to.times(p.start, p.end, p.finalizing, p.searching)
	to.ints(int64(p.index), int64(p.batchesBefore), int64(p.finalizations), int64(p.ends), int64(p.toldIdle),
		flag(p.synthesized, 1)|flag(p.idle, 2)|flag(cp.passOut, 4))
	to.id(p.span)
	to.text(p.finalStatus)
	to.correlationID(p.correlationID)
	return to.data
}

func (n *spanEvents) appendTo(b []byte, number protowire.Number, to *encoder) []byte {
	if len(n.list) == 0 {
		return b
	}
	to.ints(int64(n.dropped), int64(len(n.list)))
	for i := range n.list {
		event := &n.list[i]
		to.text(event.Name)
		to.times(event.At)
		to.ints(int64(len(event.Attributes)))
		for j := range event.Attributes {
			to.attribute(&event.Attributes[j])
		}
	}
	return fields.Message(b, number, to.data)
}

func (e *encoder) attribute(a *Attribute) {
	v := &a.Value
	e.text(a.Key)
	e.ints(int64(v.Kind))
	switch v.Kind {
	case ValueString:
		e.text(v.Text)
	case ValueInt, ValueBool:
		e.ints(v.Int)
	case ValueDouble:
		e.float(v.Double)
	case ValueStrings:
		e.ints(int64(len(v.Strings)))
		for _, text := range v.Strings {
			e.text(text)
		}
	}
}

func (d *decoder) attribute() (a Attribute) {
	a.Key = d.text()
	a.Value.Kind = ValueKind(d.int())
	switch v := &a.Value; v.Kind {
	case ValueString:
		v.Text = d.text()
	case ValueInt, ValueBool:
		v.Int = d.int()
	case ValueDouble:
		v.Double = d.float()
	case ValueStrings:
		for count := d.int(); count > 0 && d.err == nil; count-- {
			v.Strings = append(v.Strings, d.text())
		}
	default:
		d.fail()
	}
	return a
}

// appendTo appends the node after its predecessors. Places count from 1; 0 is none.
func (n *pathNode) appendTo(b []byte, with *encoder, places map[*pathNode]int64) []byte {
	var chain []*pathNode
	for node := n; node != nil && places[node] == 0; node = node.before {
		chain = append(chain, node)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		node := chain[i]
		places[node] = int64(len(places) + 1)
		to := with.begin()
		to.id(node.span)
		to.times(node.end)
		to.ints(int64(node.step), int64(node.length), node.took, node.waited, node.parts.steps, node.parts.queue, node.parts.backoff,
			node.parts.orchestration, places[node.before])
		b = fields.Message(b, checkpointNode, to.data)
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

func (s *attemptState) appendTo(to *encoder, places map[*pathNode]int64) []byte {
	isNode := s.node != nil && s.node.span == s.span && s.node.end == s.end
	to.ints(flag(s.handled, attemptHandled)|flag(s.reset, attemptReset)|flag(s.backoff != nil, attemptBackoff)|flag(isNode, attemptIsNode),
		int64(s.step), int64(s.number), int64(s.started), int64(s.requests), int64(s.ends), places[s.node])
	if !isNode {
		to.id(s.span)
		to.times(s.end)
	}
	to.text(string(s.status))
	if k := s.backoff; k != nil {
		d := to.task.detail(&k.record)
		to.times(k.at, k.passStart)
		to.ints(int64(k.identity), flag(k.out, 1))
		to.correlationID(k.passCorrelation)
		if to.texts != nil {
			to.ints(int64(k.detail))
		} else {
			to.float(d.seconds)
			to.text(d.text)
		}
	}
	return to.data
}

// parseCheckpoint reads a checkpoint.
func parseCheckpoint(from *decoder) (*checkpoint, error) {
	cp := &checkpoint{}
	nodes := []*pathNode{nil}
	latest := int64(0)
	node := func(place int64) (*pathNode, error) {
		if place < 0 || place >= int64(len(nodes)) {
			return nil, fmt.Errorf("node %d of %d", place, len(nodes))
		}
		return nodes[place], nil
	}
	step := func(what string, i int16) error {
		if steps := len(from.task.steps); i < 0 || int(i) >= steps {
			return fmt.Errorf("%s of step %d, of which there are %d", what, i, steps)
		}
		return nil
	}
	err := fields.Read(from.data, func(f *fields.Field) (err error) {
		d := from.of(f.Data)
		switch f.Number {
		case checkpointRun:
			cp.at, cp.start, cp.queued, cp.position = d.time(), d.time(), d.time(), int(d.int())
			cp.room = room{int(d.int()), d.int()}
			cp.totals = totals{int(d.int()), int(d.int()), d.int(), d.int()}
			cp.own = d.ownCorrelationID()
		case checkpointPass:
			cp.parsePass(d)
		case checkpointAnnounced:
			flags := d.int()
			cp.announced = announced{
				created: flags&1 != 0, enqueued: flags&2 != 0, jobs: int(d.int()), lastJob: int16(d.int()), discoveries: int(d.int()),
				idle: int(d.int()), ends: int(d.int()), completed: int16(d.int()),
			}
		case checkpointFailure:
			cp.failure = &failure{class: d.text(), message: d.ownText()}
		case checkpointEvents:
			cp.notes.parse(d)
		case checkpointPassEvents:
			cp.inPass.parse(d)
		case checkpointNode:
			read := &pathNode{span: d.id(), end: d.time(), step: int16(d.int()), length: int32(d.int()), took: d.int(), waited: d.int()}
			read.parts = pathParts{d.int(), d.int(), d.int(), d.int()}
			if read.before, err = node(d.int()); err != nil {
				return err
			}
			if err := step("a node", read.step); err != nil {
				return err
			}
			nodes = append(nodes, read)
		case checkpointStep:
			s, err := parseAttemptState(d, node)
			if err != nil {
				return err
			}
			if err := step("an attempt", s.step); err != nil {
				return err
			}
			cp.steps = append(cp.steps, s)
		case checkpointLatest:
			latest = f.Int()
		}
		return d.err
	})
	if err == nil {
		cp.latest, err = node(latest)
	}
	return cp, err
}

func (cp *checkpoint) parsePass(d *decoder) {
	p := &cp.pass
	p.start, p.end, p.finalizing, p.searching = d.time(), d.time(), d.time(), d.time()
	p.index, p.batchesBefore, p.finalizations, p.ends, p.toldIdle = int(d.int()), int(d.int()), int(d.int()), int(d.int()), int(d.int())
	flags := d.int()
	p.synthesized, p.idle, cp.passOut = flags&1 != 0, flags&2 != 0, flags&4 != 0
	p.out = cp.passOut
	p.span = d.id()
	p.finalStatus = d.text()
	p.correlationID = d.correlationID()
}

func (n *spanEvents) parse(d *decoder) {
	n.dropped = uint32(d.int())
	for count := d.int(); count > 0 && d.err == nil; count-- {
		event := SpanEvent{Name: d.text(), At: d.time()}
		for attributes := d.int(); attributes > 0 && d.err == nil; attributes-- {
			event.Attributes = append(event.Attributes, d.attribute())
		}
		n.list = append(n.list, event)
	}
}

func parseAttemptState(d *decoder, node func(place int64) (*pathNode, error)) (s attemptState, err error) {
	flags := d.int()
	s.handled, s.reset = flags&attemptHandled != 0, flags&attemptReset != 0
	s.step, s.number, s.started = int16(d.int()), int32(d.int()), int32(d.int())
	s.requests, s.ends = uint8(d.int()), uint8(d.int())
	if s.node, err = node(d.int()); err != nil {
		return s, err
	}
	switch {
	case flags&attemptIsNode == 0:
		s.span, s.end = d.id(), d.time()
	case s.node == nil:
		return s, errCut
	default:
		s.span, s.end = s.node.span, s.node.end
	}
	s.status = lifecycle.Status(d.text())
	if flags&attemptBackoff != 0 {
		s.backoff = parseBackoff(d, s.step)
	}
	return s, d.err
}

func parseBackoff(d *decoder, step int16) *pendingBackoff {
	k := &pendingBackoff{record: record{kind: kindBackoff, step: step, number: -1}}
	k.at, k.passStart, k.identity, k.out = d.time(), d.time(), uint32(d.int()), d.int() != 0
	k.passCorrelation = d.correlationID()
	if d.texts == nil {
		k.detail = d.task.keepOwn(&detail{seconds: d.float(), text: d.text()})
		return k
	}
	place := d.int()
	if place < 0 || place > int64(len(d.task.details)) {
		d.fail()
		return k
	}
	k.detail = uint16(place)
	return k
}
