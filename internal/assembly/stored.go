// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fields of a run that goes on as it is stored, behind the tail of the runs before it: what is out of it, and its checkpoint.
const (
	openID protowire.Number = iota + 1
	openIDInteger
	openAttribute // of the resource
	openRoot
	openRootNext
	openExtent
	openFrontier
	openFlags
	openEmitted
	openParents
	openCheckpoint
	openCaller
)

const (
	flagCoarse = 1 << iota
	flagDisturbed
	flagUnsettled
	flagCut
	flagActive
	flagRefused
)

// appendTo appends the numbers one behind the other, as zigzag varints.
func appendNumbers(b []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		b = protowire.AppendVarint(b, protowire.EncodeZigZag(n))
	}
	return b
}

var errCut = errors.New("a list of numbers is cut")

// numbers are read one after the other.
type numbers struct {
	data []byte
	err  error
}

func (n *numbers) next() int64 {
	v, size := protowire.ConsumeVarint(n.data)
	if size < 0 {
		n.err, n.data = errCut, nil
		return 0
	}
	n.data = n.data[size:]
	return protowire.DecodeZigZag(v)
}

// id is a span's id.
func (n *numbers) id() (id SpanID) {
	if len(n.data) < len(id) {
		n.err, n.data = errCut, nil
		return id
	}
	n.data = n.data[copy(id[:], n.data):]
	return id
}

// text is a length and so many bytes.
func (n *numbers) text() string {
	size := n.next()
	if size < 0 || size > int64(len(n.data)) {
		n.err, n.data = errCut, nil
		return ""
	}
	text := string(n.data[:size])
	n.data = n.data[size:]
	return text
}

func appendText(b []byte, text string) []byte {
	return append(appendNumbers(b, int64(len(text))), text...)
}

func flag(on bool, bit int64) int64 {
	if on {
		return bit
	}
	return 0
}

// appendOpen appends what is out of the task's run that goes on.
func (t *task) appendOpen(b []byte) []byte {
	b = fields.Text(b, openID, t.id.Text)
	b = fields.Bool(b, openIDInteger, t.id.Integer)
	var inner []byte
	if t.resource != nil {
		for i := range t.resource.Attributes {
			inner = AppendAttribute(inner[:0], &t.resource.Attributes[i])
			b = fields.Message(b, openAttribute, inner)
		}
	}
	b = fields.Message(b, openRoot, t.root[:])
	b = fields.Int(b, openRootNext, t.rootNext)
	b = fields.Message(b, openExtent, appendNumbers(inner[:0], t.extent.start, t.extent.end))
	b = fields.Int(b, openFrontier, t.frontier)
	b = fields.Int(b, openFlags, flag(t.coarse, flagCoarse)|flag(t.disturbed, flagDisturbed)|flag(t.unsettled, flagUnsettled)|
		flag(t.cut, flagCut)|flag(t.active, flagActive)|flag(t.refused, flagRefused))
	b = fields.Message(b, openEmitted, t.appendEmitted(inner[:0]))
	b = fields.Message(b, openParents, t.appendParents(inner[:0]))
	b = fields.Text(b, openCaller, t.parent)
	if t.checkpoint != nil {
		b = fields.Message(b, openCheckpoint, t.checkpoint.appendTo(inner[:0], t))
	}
	return b
}

func (t *task) appendEmitted(b []byte) []byte {
	for i := range t.emitted {
		e := &t.emitted[i]
		b = append(b, e.id[:]...)
		b = appendNumbers(b, e.start, e.end-e.start, int64(e.step), flag(e.cut, 1))
	}
	return b
}

func (t *task) appendParents(b []byte) []byte {
	for i := range t.parents {
		p := &t.parents[i]
		b = append(append(b, p.id[:]...), p.parent[:]...)
		b = appendNumbers(b, flag(p.name == lifecycle.SpanBatch, 1), p.start, p.end-p.start)
	}
	return b
}

// parseOpen reads a stored run that goes on into a task that has the steps of its tail. It keeps nothing of b.
func (a *Assembler) parseOpen(b []byte, t *task) error {
	var attributes []Attribute
	err := fields.Read(b, func(f *fields.Field) error {
		switch f.Number {
		case openID:
			t.id.Text = string(f.Data)
		case openIDInteger:
			t.id.Integer = f.Int() != 0
		case openAttribute:
			attribute, err := ReadAttribute(f.Data)
			attributes = append(attributes, attribute)
			return err
		case openRoot:
			copy(t.root[:], f.Data)
		case openRootNext:
			t.rootNext = f.Int()
		case openExtent:
			n := numbers{data: f.Data}
			t.extent = extent{n.next(), n.next()}
			return n.err
		case openFrontier:
			t.frontier = f.Int()
		case openFlags:
			flags := f.Int()
			t.coarse, t.disturbed, t.unsettled = flags&flagCoarse != 0, flags&flagDisturbed != 0, flags&flagUnsettled != 0
			t.cut, t.active, t.refused = flags&flagCut != 0, flags&flagActive != 0, flags&flagRefused != 0
		case openEmitted:
			return t.parseEmitted(f.Data)
		case openParents:
			return t.parseParents(f.Data)
		case openCaller:
			t.parent = string(f.Data)
		case openCheckpoint:
			cp, err := a.parseCheckpoint(f.Data, t)
			t.checkpoint, t.doneAt = cp, cp.at
			return err
		}
		return nil
	})
	if t.resource == nil {
		t.resource = a.resource(attributes)
	}
	return err
}

func (t *task) parseEmitted(data []byte) error {
	for n := (numbers{data: data}); len(n.data) > 0 || n.err != nil; {
		e := emittedSpan{id: n.id()}
		e.start = n.next()
		e.end = e.start + n.next()
		e.step, e.cut = int16(n.next()), n.next() != 0
		if n.err != nil {
			return n.err
		}
		t.emitted.add(e)
	}
	return nil
}

func (t *task) parseParents(data []byte) error {
	for n := (numbers{data: data}); len(n.data) > 0 || n.err != nil; {
		p := openParent{id: n.id(), parent: n.id(), name: lifecycle.SpanOrchestration}
		if n.next() != 0 {
			p.name = lifecycle.SpanBatch
		}
		p.start = n.next()
		p.end = p.start + n.next()
		if n.err != nil {
			return n.err
		}
		t.parents = append(t.parents, p)
	}
	return nil
}

// sharedResources bounds how many restored resources are shared.
const sharedResources = 4096

// resource is the shared resource with the attributes.
func (a *Assembler) resource(attributes []Attribute) *Resource {
	a.key = a.key[:0]
	for i := range attributes {
		a.key = AppendAttribute(a.key, &attributes[i])
	}
	if known, ok := a.resources[string(a.key)]; ok {
		return known
	}
	r := &Resource{Attributes: attributes}
	makeRoom(a.resources, sharedResources)
	a.resources[string(a.key)] = r
	return r
}

// Fields of a checkpoint as it is stored.
const (
	checkpointRun protowire.Number = iota + 1
	checkpointPass
	checkpointTold
	checkpointOwn
	checkpointClass
	checkpointMessage
	checkpointNotes
	checkpointPassNotes
	checkpointNode
	checkpointStep
	checkpointLatest
)

// appendTo appends the checkpoint of the task as it is stored.
func (cp *checkpoint) appendTo(b []byte, t *task) []byte {
	p := &cp.pass
	b = fields.Message(b, checkpointRun, appendNumbers(nil, cp.at, cp.start, int64(cp.position), int64(cp.room.spans), cp.room.bytes, cp.queued,
		int64(cp.totals.attempts), int64(cp.totals.retries), cp.totals.queue, cp.totals.backoff))
	inner := appendNumbers(nil, p.start, p.end, int64(p.index), int64(p.batchesBefore), p.finalizing, int64(p.finalizations), int64(p.ends),
		flag(p.synthesized, 1)|flag(p.idle, 2)|flag(cp.passOut, 4), int64(p.toldIdle), p.searching)
	inner = append(inner, p.span[:]...)
	inner = appendText(appendText(inner, p.finalStatus), t.thread(p.thread))
	b = fields.Message(b, checkpointPass, inner)
	b = fields.Message(b, checkpointTold, appendNumbers(nil, flag(cp.told.created, 1)|flag(cp.told.enqueued, 2), int64(cp.told.jobs),
		int64(cp.told.lastJob), int64(cp.told.discoveries), int64(cp.told.idle), int64(cp.told.ends), int64(cp.told.completed)))
	b = fields.Text(b, checkpointOwn, cp.own)
	if cp.failure != nil {
		b = fields.Element(b, checkpointClass, cp.failure.class)
		b = fields.Element(b, checkpointMessage, cp.failure.message)
	}
	b = cp.notes.appendTo(b, checkpointNotes)
	b = cp.inPass.appendTo(b, checkpointPassNotes)
	places := map[*pathNode]int64{}
	for i := range cp.steps {
		b = cp.steps[i].node.appendTo(b, places)
	}
	b = cp.latest.appendTo(b, places)
	for i := range cp.steps {
		b = fields.Message(b, checkpointStep, cp.steps[i].appendTo(nil, t, places))
	}
	return fields.Int(b, checkpointLatest, places[cp.latest])
}

func (n *noted) appendTo(b []byte, number protowire.Number) []byte {
	if len(n.list) == 0 {
		return b
	}
	inner := appendNumbers(nil, int64(n.dropped), int64(len(n.list)))
	for i := range n.list {
		note := &n.list[i]
		inner = appendNumbers(appendText(inner, note.Name), note.At, int64(len(note.Attributes)))
		for j := range note.Attributes {
			inner = appendText(inner, string(AppendAttribute(nil, &note.Attributes[j])))
		}
	}
	return fields.Message(b, number, inner)
}

// appendTo appends the node behind those before it. Places count from 1, so that 0 is none.
func (n *pathNode) appendTo(b []byte, places map[*pathNode]int64) []byte {
	var chain []*pathNode
	for node := n; node != nil && places[node] == 0; node = node.before {
		chain = append(chain, node)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		node := chain[i]
		places[node] = int64(len(places) + 1)
		inner := append([]byte(nil), node.span[:]...)
		inner = appendNumbers(inner, int64(node.step), int64(node.length), node.took, node.end, node.waited, node.parts.steps, node.parts.queue,
			node.parts.backoff, node.parts.orchestration, places[node.before])
		b = fields.Message(b, checkpointNode, inner)
	}
	return b
}

func (s *attemptState) appendTo(b []byte, t *task, places map[*pathNode]int64) []byte {
	b = append(b, s.span[:]...)
	b = appendNumbers(b, int64(s.step), int64(s.number), int64(s.started), int64(s.requests), int64(s.ends),
		flag(s.handled, 1)|flag(s.reset, 2)|flag(s.backoff != nil, 4), s.end, places[s.node])
	b = appendText(b, string(s.status))
	if k := s.backoff; k != nil {
		d := t.detail(&k.record)
		b = appendNumbers(b, k.at, int64(k.identity), flag(k.out, 1), k.passStart, int64(math.Float64bits(d.seconds)))
		b = appendText(appendText(b, d.word), t.thread(k.passThread))
	}
	return b
}

// parseCheckpoint reads a stored checkpoint of the task.
func (a *Assembler) parseCheckpoint(b []byte, t *task) (*checkpoint, error) {
	cp := &checkpoint{}
	nodes := []*pathNode{nil}
	latest := int64(0)
	node := func(place int64) (*pathNode, error) {
		if place < 0 || place >= int64(len(nodes)) {
			return nil, fmt.Errorf("node %d of %d", place, len(nodes))
		}
		return nodes[place], nil
	}
	err := fields.Read(b, func(f *fields.Field) (err error) {
		n := numbers{data: f.Data}
		switch f.Number {
		case checkpointRun:
			cp.at, cp.start, cp.position = n.next(), n.next(), int(n.next())
			cp.room = room{int(n.next()), n.next()}
			cp.queued = n.next()
			cp.totals = totals{int(n.next()), int(n.next()), n.next(), n.next()}
		case checkpointPass:
			cp.parsePass(&n, a, t)
		case checkpointTold:
			flags := n.next()
			cp.told = told{
				created: flags&1 != 0, enqueued: flags&2 != 0, jobs: int(n.next()), lastJob: int16(n.next()), discoveries: int(n.next()),
				idle: int(n.next()), ends: int(n.next()), completed: int16(n.next()),
			}
		case checkpointOwn:
			cp.own = string(f.Data)
		case checkpointClass:
			cp.failure = &failure{class: string(f.Data)}
		case checkpointMessage:
			if cp.failure != nil {
				cp.failure.message = string(f.Data)
			}
		case checkpointNotes:
			return cp.notes.parse(&n, a)
		case checkpointPassNotes:
			return cp.inPass.parse(&n, a)
		case checkpointNode:
			read := &pathNode{span: n.id(), step: int16(n.next()), length: int32(n.next()), took: n.next(), end: n.next(), waited: n.next()}
			read.parts = pathParts{n.next(), n.next(), n.next(), n.next()}
			if read.before, err = node(n.next()); err != nil {
				return err
			}
			if read.step < 0 || int(read.step) >= len(t.steps) {
				return fmt.Errorf("a node of step %d, of which there are %d", read.step, len(t.steps))
			}
			nodes = append(nodes, read)
		case checkpointStep:
			s, place := parseAttemptState(&n, a, t)
			if s.step < 0 || int(s.step) >= len(t.steps) {
				return fmt.Errorf("an attempt of step %d, of which there are %d", s.step, len(t.steps))
			}
			if s.node, err = node(place); err != nil {
				return err
			}
			cp.steps = append(cp.steps, s)
		case checkpointLatest:
			latest = f.Int()
		}
		return n.err
	})
	if err == nil {
		cp.latest, err = node(latest)
	}
	return cp, err
}

func (cp *checkpoint) parsePass(n *numbers, a *Assembler, t *task) {
	p := &cp.pass
	p.start, p.end, p.index, p.batchesBefore = n.next(), n.next(), int(n.next()), int(n.next())
	p.finalizing, p.finalizations, p.ends = n.next(), int(n.next()), int(n.next())
	flags := n.next()
	p.synthesized, p.idle, cp.passOut = flags&1 != 0, flags&2 != 0, flags&4 != 0
	p.out = cp.passOut
	p.toldIdle, p.searching = int(n.next()), n.next()
	p.span = n.id()
	p.finalStatus = a.intern(n.text())
	p.thread = t.threadIndex(a, n.text())
}

func (n *noted) parse(from *numbers, a *Assembler) error {
	n.dropped = uint32(from.next())
	for count := from.next(); count > 0 && from.err == nil; count-- {
		note := Note{Name: a.intern(from.text()), At: from.next()}
		for attributes := from.next(); attributes > 0 && from.err == nil; attributes-- {
			attribute, err := ReadAttribute([]byte(from.text()))
			if err != nil {
				return err
			}
			note.Attributes = append(note.Attributes, attribute)
		}
		n.list = append(n.list, note)
	}
	return from.err
}

func parseAttemptState(n *numbers, a *Assembler, t *task) (s attemptState, node int64) {
	s.span = n.id()
	s.step, s.number, s.started = int16(n.next()), int32(n.next()), int32(n.next())
	s.requests, s.ends = uint8(n.next()), uint8(n.next())
	flags := n.next()
	s.handled, s.reset = flags&1 != 0, flags&2 != 0
	s.end, node = n.next(), n.next()
	s.status = lifecycle.Status(a.intern(n.text()))
	if flags&4 != 0 {
		k := &pendingBackoff{record: record{kind: kindBackoff, step: s.step, number: -1}}
		k.at, k.identity, k.out, k.passStart = n.next(), uint32(n.next()), n.next() != 0, n.next()
		d := &detail{seconds: math.Float64frombits(uint64(n.next()))}
		d.word = a.intern(n.text())
		k.passThread = t.threadIndex(a, n.text())
		k.detail = t.keepOwn(d)
		s.backoff = k
	}
	return s, node
}
