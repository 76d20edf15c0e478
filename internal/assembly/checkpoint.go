// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/emitted"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// checkpoint replaces the records of an open run up to a time with what later numbers, links and totals need. It is set after the
// end of a batch or of a pass where everything before it has been emitted, so no attempt is open. Reading from a checkpoint gives
// the same result as reading from the beginning.
type checkpoint struct {
	at        int64 // records up to here are forgotten
	start     int64 // of the run
	position  int   // how many records of the run were read
	room      room
	pass      pass // that is open or has just ended, without what is in it
	passOut   bool // its span has been emitted
	totals    totals
	steps     []attemptState
	latest    *critical.Node // of the attempt that ended last
	announced announced
	own       string     // correlation id of the task's span
	queued    int64      // the earliest time for the id of the next wait
	failure   *failure   // of the attempt that failed last
	notes     spanEvents // of the task's span
	inPass    spanEvents // of the pass's span
}

// totals are what the task's span counts.
type totals struct {
	attempts, retries int
	queue, backoff    int64
}

// announced counts the announcements of a run that show what is missing.
type announced struct {
	created, enqueued bool
	jobs              int
	lastJob           int16
	discoveries, idle int
	ends              int
	completed         int16
}

// spanEvents are the events on a span that has not been emitted.
type spanEvents struct {
	list    []SpanEvent
	dropped uint32
}

// attemptState is the last attempt of a step, whose span has been emitted.
type attemptState struct {
	step           int16
	number         int32
	started        int32
	requests, ends uint8
	handled, reset bool
	status         lifecycle.Status
	end            int64
	span           SpanID
	node           *critical.Node
	backoff        *pendingBackoff
}

// pendingBackoff is a backoff that no attempt has followed up to the checkpoint.
type pendingBackoff struct {
	record
	out             bool
	passStart       int64 // of the pass that announced it
	passCorrelation uint16
}

// longAgo is before every position: a pass that was left then is abandoned.
const longAgo = math.MinInt32

// attempt restores the attempt, whose span has been emitted, for the reader.
func (s *attemptState) attempt(room *arena) *attempt {
	a := room.attempts.next()
	*a = attempt{
		step: s.step, number: s.number, started: s.started, requests: int(s.requests), ends: int(s.ends), status: s.status, start: s.end, end: s.end,
		firstEnd: s.end, span: s.span, forgotten: true, batch: room.batches.next(), pass: room.passes.next(),
	}
	a.pass.left, a.pass.closed = longAgo, true
	if s.handled {
		a.handler = s.end
	}
	if b := s.backoff; b != nil {
		a.backoff, a.backoffOut = &b.record, b.out
		a.pass.start, a.pass.correlationID = b.passStart, b.passCorrelation
	}
	return a
}

// resume makes the reader continue from the task's checkpoint.
func (rd *reader) resume(cp *checkpoint) {
	n := rd.run
	n.before, n.start = cp, cp.start
	rd.position, rd.room = cp.position, cp.room
	rd.pass = rd.arena.passes.next()
	*rd.pass = cp.pass
	n.passes = append(n.passes, rd.pass)
	for i := range cp.steps {
		s := &cp.steps[i]
		a := s.attempt(rd.arena)
		rd.current[s.step], rd.resets[s.step], rd.counts[s.step] = a, s.reset, s.number
		n.forgotten = append(n.forgotten, a)
	}
}

// checkpointAt finds the last record of the run after which a checkpoint can be set, not later than a time: -1 when there is none.
// Everything up to it must have been emitted, and no later record may have the same time.
func (c *composer) checkpointAt(latest int64) int {
	found := c.passesOutUntil(min(latest, c.going.ending-1))
	if found < 0 {
		return -1
	}
	if held := c.firstHeld(c.run.records[:found+1]); held <= c.run.records[found].at {
		return c.passesOutUntil(held - 1)
	}
	return found
}

// passesOutUntil is checkpointAt without regard to queries and backoffs.
func (c *composer) passesOutUntil(latest int64) int {
	n := c.run
	found := -1
	consider := func(position int) {
		if position < len(n.records) && n.records[position-1].at == n.records[position].at {
			return
		}
		if n.records[position-1].at <= latest {
			found = position - 1
		}
	}
	for i, p := range n.passes {
		if w, ok := n.waitBefore(i); ok && !c.isOut(c.spanID(lifecycle.SpanQueued, "", w.start)) {
			return found
		}
		search := 0
		for _, b := range p.batches {
			for ; search < len(p.searches) && p.searches[search].end <= b.start; search++ {
				if !c.isOut(p.searches[search].span) {
					return found
				}
			}
			if !c.isOut(b.span) || slices.ContainsFunc(b.attempts, func(a *attempt) bool { return !c.isOut(a.span) }) {
				return found
			}
			if b.announced && b.endedAt-n.skipped() > 0 && b.end <= n.records[b.endedAt-n.skipped()-1].at {
				consider(b.endedAt - n.skipped())
			}
		}
		if !p.out && !c.isOut(p.span) {
			return found
		}
		if p.ends == finalizationAnnouncements && p.endedAt-n.skipped() > 0 && p.end <= n.records[p.endedAt-n.skipped()-1].at {
			consider(p.endedAt - n.skipped())
		}
	}
	return found
}

// skipped returns how many records of the run the checkpoint replaces.
func (n *run) skipped() int {
	if n.before == nil {
		return 0
	}
	return n.before.position
}

func (c *composer) isOut(id SpanID) bool {
	if _, here := c.index[id]; here {
		return true
	}
	return c.task.out().spans.Has(id)
}

// firstHeld returns the time of the first query or backoff in the first records that has not been emitted; MaxInt64 when there is
// none.
func (c *composer) firstHeld(records []record) int64 {
	first := int64(math.MaxInt64)
	for i := range records {
		if r := &records[i]; r.kind == kindQuery && !c.isOut(c.spanID(lifecycle.SpanQuery, queryKey(r), r.at)) {
			first = r.at
			break
		}
	}
	for a := range c.run.all() {
		if a.backoff != nil && a.after != nil && !a.backoffOut && !c.isOut(c.spanID(lifecycle.SpanBackoff, c.task.steps[a.step].id.Text, a.backoff.at)) {
			first = min(first, a.backoff.at)
		}
	}
	return first
}

// forgetUpTo moves the task's checkpoint after one of its sorted records, which belong to one run.
func (a *Assembler) forgetUpTo(t *task, sorted []record, place int, before *releasedTask) {
	t.records = sorted[:place+1]
	going := &settling{undecided: math.MaxInt64, ending: math.MaxInt64, now: math.MaxInt64, coarse: t.coarse}
	rd := t.reader(&a.limits, &a.arena)
	rd.live, rd.rerun = true, t.released != nil
	n := rd.readRun(t.records, true)
	rd.settle(going)
	c := &a.composer
	c.begin(t, n, before, ReasonEnded, &a.limits, going)
	c.identify()
	cp := c.checkpoint(rd, t.records[place].at)
	t.doneAt = cp.at
	out := t.beginEmission()
	out.checkpoint = cp
	t.cut = t.cut || c.tree.SpanEventsCut > 0
	a.stats.SpanEventsCut += int64(c.tree.SpanEventsCut)
	a.stats.Late += c.late
	t.records = sorted
	a.keepRecords(t, sorted[place+1:])
	out.spans.Forget(cp.at)
	out.ids = knownIDs{}
	if cp.passOut {
		out.spans.Add(emitted.Span{ID: cp.pass.span, Start: cp.pass.start, End: cp.pass.end, Step: noStep})
	}
}

// checkpoint makes the checkpoint of a run that was read up to a time.
func (c *composer) checkpoint(rd *reader, at int64) *checkpoint {
	n, old := c.run, c.run.before
	last := n.passes[len(n.passes)-1]
	cp := &checkpoint{
		at: at, start: n.start, position: rd.position, room: rd.room, pass: *last, totals: c.totals(), announced: n.countAnnounced(), own: c.taskCorrelation(),
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			unused(&c.begins.queued, w.start)
		}
	}
	cp.queued = c.begins.queued
	cp.passOut = last.out || c.task.out().spans.Has(last.span)
	cp.pass.batchesBefore += len(last.batches)
	cp.pass.batches, cp.pass.searches, cp.pass.discoveredSteps, cp.pass.job, cp.pass.out = nil, nil, nil, nil, cp.passOut
	if f := c.lastFailure(failure{}); f != (failure{}) {
		cp.failure = &f
	}
	cp.notes, cp.inPass = c.openSpanEvents(last)
	nodes, latest := c.task.criticalRun(n).Nodes()
	cp.latest = latest
	for i, a := range n.attempts {
		a.node = nodes[i]
	}
	for step, attempt := range rd.current {
		if attempt != nil {
			s := rd.attemptState(int16(step), attempt)
			if b := s.backoff; b != nil {
				b.out = attempt.backoffOut || c.task.out().spans.Has(c.spanID(lifecycle.SpanBackoff, c.task.steps[step].id.Text, b.at))
			}
			cp.steps = append(cp.steps, s)
		}
	}
	if old != nil && cp.latest == nil {
		cp.latest = old.latest
	}
	return cp
}

func (rd *reader) attemptState(step int16, a *attempt) attemptState {
	s := attemptState{
		step: step, number: a.number, started: a.started, requests: uint8(min(a.requests, attemptAnnouncements)), ends: uint8(min(a.ends, attemptAnnouncements)),
		handled: a.handler != 0, reset: rd.resets[step], status: a.status, end: a.end, span: a.span, node: a.node,
	}
	if s.node == nil && rd.run.before != nil {
		s.node = rd.run.before.node(step)
	}
	if a.backoff != nil {
		s.backoff = &pendingBackoff{record: *a.backoff, passStart: a.pass.start, passCorrelation: a.pass.correlationID}
	}
	return s
}

// node returns that of the step's last attempt.
func (cp *checkpoint) node(step int16) *critical.Node {
	for i := range cp.steps {
		if cp.steps[i].step == step {
			return cp.steps[i].node
		}
	}
	return nil
}

// openSpanEvents returns the events of the run on the task's span and on that of the current pass, which have not been emitted.
func (c *composer) openSpanEvents(last *pass) (task, inPass spanEvents) {
	before := c.run.before
	c.tree.Spans = append(c.tree.Spans[:0], Span{ID: c.root})
	c.index[c.root] = 0
	if before != nil {
		c.goOn(&c.tree.Spans[0], &before.notes)
	}
	if !last.out && !c.task.out().spans.Has(last.span) {
		c.index[last.span] = 1
		c.tree.Spans = append(c.tree.Spans, Span{ID: last.span})
		if before != nil && last == c.run.passes[0] {
			c.goOn(&c.tree.Spans[1], &before.inPass)
		}
	}
	c.noting = true
	c.attach()
	take := func(place int) spanEvents {
		s := &c.tree.Spans[place]
		return spanEvents{s.Events, s.EventsDropped}
	}
	task = take(0)
	if len(c.tree.Spans) > 1 {
		inPass = take(1)
	}
	return task, inPass
}

// goOn begins the events of a span with those kept in the checkpoint.
func (c *composer) goOn(s *Span, known *spanEvents) {
	s.Events = append(s.Events, known.list...)
	s.EventsDropped = known.dropped
	c.tree.EventsDropped += int(known.dropped)
}

// keepRecords keeps only some of the task's records, and of its lists what they and its checkpoint refer to.
func (a *Assembler) keepRecords(t *task, kept []record) {
	count := t.packed.count
	details, lists, correlationIDs := t.details, t.lists, t.correlationIDs
	t.details, t.lists, t.correlationIDs, t.lastList = nil, nil, nil, 0
	detail := remapped(func(old uint16) uint16 {
		t.details = append(t.details, details[old-1])
		return uint16(len(t.details))
	})
	correlationID := remapped(func(old uint16) uint16 {
		t.correlationIDs = append(t.correlationIDs, correlationIDs[old-1])
		return uint16(len(t.correlationIDs))
	})
	places := map[int16]int16{}
	list := func(old int16) int16 {
		if _, known := places[old]; !known {
			t.lastList = int16(len(t.lists))
			places[old] = t.lastList
			t.lists = append(t.lists, lists[old:old+1+lists[old]]...)
		}
		return places[old]
	}
	if cp := t.out().checkpoint; cp != nil {
		cp.pass.correlationID = correlationID(cp.pass.correlationID)
		for i := range cp.steps {
			if b := cp.steps[i].backoff; b != nil {
				b.detail, b.passCorrelation, b.correlationID = detail(b.detail), correlationID(b.passCorrelation), 0
			}
		}
	}
	if t.watch != nil {
		t.watch.correlationID = correlationID(t.watch.correlationID)
	}
	for i := range kept {
		r := &kept[i]
		r.detail, r.correlationID = detail(r.detail), correlationID(r.correlationID)
		if r.kind == kindDiscovered && r.number >= 0 {
			r.number = list(r.number)
		}
	}
	t.packed = packed{}
	t.packed.pack(kept)
	a.stats.HeldEvents += int64(t.packed.count - count)
	a.resize(t)
}

// remapped maps each number except zero to a new one, always the same.
func remapped(next func(uint16) uint16) func(uint16) uint16 {
	known := map[uint16]uint16{}
	return func(old uint16) uint16 {
		if old == 0 {
			return 0
		}
		if _, ok := known[old]; !ok {
			known[old] = next(old)
		}
		return known[old]
	}
}

// totals returns those of the run so far.
func (c *composer) totals() totals {
	t := totals{queue: c.queueTime(), backoff: c.backoffTime()}
	if before := c.run.before; before != nil {
		t.attempts, t.retries = before.totals.attempts, before.totals.retries
	}
	t.attempts += len(c.run.attempts)
	for _, a := range c.run.attempts {
		if a.number > 1 {
			t.retries++
		}
	}
	return t
}

// distinctSteps returns how many steps were attempted in the run.
func (c *composer) distinctSteps() int {
	steps, distinct := make([]bool, len(c.task.steps)), 0
	for a := range c.run.all() {
		if !steps[a.step] {
			steps[a.step] = true
			distinct++
		}
	}
	return distinct
}

// size returns about how many bytes the task takes.
func (t *task) size() int64 {
	n := int64(bytesPerTask+len(t.id.Text)+len(t.asleep)+cap(t.packed.bytes)+len(t.correlationIDs)*bytesPerCorrelationID+cap(t.details)*bytesPerPointer+len(t.lists)*bytesPerIndex) +
		int64(len(t.places))*bytesPerPlace + t.emission.size()
	for i := range t.steps {
		n += bytesPerStep + int64(len(t.steps[i].id.Text))
	}
	for _, d := range t.details {
		n += d.size()
	}
	if t.released != nil {
		n += bytesPerReleased
	}
	if t.watch != nil {
		n += bytesPerWatch + int64(len(t.watch.steps))*bytesPerStepWatch
	}
	return n
}

// size returns about how many bytes the emission takes; zero for nil.
func (e *emission) size() int64 {
	if e == nil {
		return 0
	}
	n := bytesPerEmission + int64(cap(e.spans))*bytesPerEmitted + int64(cap(e.parents))*bytesPerParent + int64(cap(e.ids.list))*bytesPerKnownID
	if e.checkpoint != nil {
		n += e.checkpoint.size()
	}
	return n
}

// size returns about how many bytes the checkpoint takes.
func (cp *checkpoint) size() int64 {
	n := int64(bytesPerCheckpoint + len(cp.steps)*bytesPerAttemptState)
	for i := range cp.steps {
		if cp.steps[i].backoff != nil {
			n += bytesPerBackoff
		}
	}
	for _, notes := range [...]spanEvents{cp.notes, cp.inPass} {
		for i := range notes.list {
			n += bytesPerKeptNote
			for j := range notes.list[i].Attributes {
				n += bytesPerAttribute + int64(len(notes.list[i].Attributes[j].Value.Text))
			}
		}
	}
	return n + int64(cp.nodes())*bytesPerNode
}

// nodes returns how many nodes of the critical path the checkpoint holds, at most.
func (cp *checkpoint) nodes() int {
	n := len(cp.steps)
	if cp.latest != nil {
		n += int(min(cp.latest.Length, critical.MostOnPath))
	}
	return n
}

const (
	bytesPerEmission     = 128
	bytesPerKnownID      = 48
	bytesPerEmitted      = 40
	bytesPerParent       = 56
	bytesPerCheckpoint   = 560
	bytesPerAttemptState = 80
	bytesPerBackoff      = 64
	bytesPerKeptNote     = 72
	bytesPerNode         = 112
)
