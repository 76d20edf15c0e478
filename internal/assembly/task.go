// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// task is the set of events of one open task, and the state kept of its released runs.
type task struct {
	trace          TraceID
	resource       *Resource
	id             ID
	name           string
	parent         string // traceparent of the caller
	steps          []step
	places         map[string]int16 // indexes of steps by id; nil for few steps
	correlationIDs []string         // correlation ids; records refer to them by index, 0 is none
	packed         packed           // the events
	records        []record         // the events, sorted; only while the assembler checks the task

	details  []*detail
	lists    []int16 // the steps of discoveries, each list after its length
	lastList int16

	released *releasedTask // nil until a run has been released

	releasedEnd, releasedSerial int64 // of its latest release; math.MinInt64 and 0 for none

	// emission is what has been emitted of the open run; nil while nothing has, and while it is encoded in asleep.
	emission *emission
	asleep   string // the encoded emission while the task sleeps; empty otherwise
	doneAt   int64  // time of its checkpoint

	disturbed bool  // an event older than the emission's frontier arrived
	unsettled bool  // some emitted span lacks events
	leaving   bool  // it is released with the run being emitted
	fixed     bool  // coarse is final
	cut       bool  // a limit omitted something
	looked    int64 // when it was last checked
	lookAt    int64 // when it is checked next for settled spans; 0 for never

	lastArrival int64 // Unix nanoseconds of the collector's clock
	held        int64 // approximate bytes
	resourceAt  int64 // time of the earliest event, which decides the resource
	parentAt    int64 // time of the earliest event with a traceparent, which decides the parent
	dropped     int32 // events over the limit
	pressed     int32 // events at the limit until repetitions are searched again
	waits       waiting
	ended       bool // an event that can end the task arrived
	active      bool // an event other than the queue's own retries arrived
	refused     bool
	coarse      bool // some clock has seconds only; known while the assembler checks the task

	watch    *watch                 // its summary; nil unless the assembler is watched
	limits   *Waits                 // timeouts of tasks of its name
	idle     deadlines.Place[*task] // in the line of open tasks, or of finished ones
	deadline deadlines.Entry[*task] // when it is to be checked
}

// Place implements [deadlines.InLine].
func (t *task) Place() *deadlines.Place[*task] { return &t.idle }

// Deadline implements [deadlines.InWheel].
func (t *task) Deadline() *deadlines.Entry[*task] { return &t.deadline }

// step is a node of the task's graph, as far as events describe it.
type step struct {
	id ID
	*shape
}

// shape is the part of a step that is equal in other tasks of its workflow. It is shared and immutable.
type shape struct {
	name string
	deps []string // names of the steps that it depends on; nil while unknown
}

// unnamed is the shape of a step of which only the id is known.
var unnamed shape

// sharedShapes bounds how many shapes are shared.
const sharedShapes = 1 << 14

// shape returns the shared shape of the name and dependencies.
func (a *Assembler) shape(name string, deps []string) *shape {
	if name == "" && len(deps) == 0 {
		return &unnamed
	}
	a.key = append(append(a.key[:0], name...), 0)
	for _, dep := range deps {
		a.key = append(append(a.key, dep...), 0)
	}
	if known, ok := a.shapes[string(a.key)]; ok {
		return known
	}
	s := &shape{name: a.intern(name)}
	for _, dep := range deps {
		s.deps = append(s.deps, a.intern(dep))
	}
	makeRoom(a.shapes, sharedShapes)
	a.shapes[string(a.key)] = s
	return s
}

// Approximate bytes of an open task, besides its events and its strings.
const (
	bytesPerTask          = 360 // including the index of open tasks
	bytesPerReleased      = 160
	bytesPerStep          = 40
	bytesPerPlace         = 40
	bytesPerCorrelationID = 40

	bytesPerPointer   = 8
	bytesPerIndex     = 2
	bytesPerDetail    = 64
	bytesPerFailure   = 64
	bytesPerAttribute = 80
	bytesPerString    = 16
)

// stepIndex finds or adds the step. Tasks have few steps, so a scan beats a map.
func (t *task) stepIndex(a *Assembler, id ID, name string) int16 {
	if i := t.findStep(id.Text); i != noStep {
		if t.steps[i].name == "" && name != "" {
			t.steps[i].shape = a.shape(name, t.steps[i].deps)
		}
		return i
	}
	if len(t.steps) >= maxSteps {
		return noStep
	}
	if len(t.steps) == cap(t.steps) {
		t.steps = slices.Grow(t.steps, max(stepsAtOnce, len(t.steps)/4))
	}
	t.steps = append(t.steps, step{ID{strings.Clone(id.Text), id.Integer}, a.shape(name, nil)})
	t.held += bytesPerStep + int64(len(id.Text))
	i := int16(len(t.steps) - 1)
	if t.places != nil {
		t.places[t.steps[i].id.Text] = i
		t.held += bytesPerPlace
	}
	return i
}

// findStep returns the index of a step, or noStep. Few steps are scanned; many, for which scans would cost their square, are
// indexed.
func (t *task) findStep(id string) int16 {
	if len(t.steps) <= mostSearched {
		for i := range t.steps {
			if t.steps[i].id.Text == id {
				return int16(i)
			}
		}
		return noStep
	}
	if t.places == nil {
		t.places = make(map[string]int16, 2*len(t.steps))
		for i := range t.steps {
			t.places[t.steps[i].id.Text] = int16(i)
		}
		t.held += int64(len(t.steps)) * bytesPerPlace
	}
	if i, found := t.places[id]; found {
		return i
	}
	return noStep
}

// mostSearched is the number of steps up to which they are scanned.
const mostSearched = 64

// stepsAtOnce is by how many steps a task grows at least.
const stepsAtOnce = 3

// maxSteps is the number of steps that a record's index can name.
const maxSteps = 1<<15 - 1

// correlationIndex finds or adds a correlation id. Index 0 means none, or that there are too many.
func (t *task) correlationIndex(a *Assembler, id string) uint16 {
	if id == "" {
		return 0
	}
	for i := len(t.correlationIDs) - 1; i >= 0; i-- { // mostly the latest one
		if t.correlationIDs[i] == id {
			return uint16(i + 1)
		}
	}
	if len(t.correlationIDs) >= maxCorrelationIDs {
		return 0
	}
	t.correlationIDs = append(t.correlationIDs, share(a.lately, sharedLately, id))
	t.held += bytesPerCorrelationID
	return uint16(len(t.correlationIDs))
}

// maxCorrelationIDs bounds the correlation ids of a task, which are scanned.
const maxCorrelationIDs = 1<<12 - 1

func (t *task) correlationID(index uint16) string {
	if index == 0 {
		return ""
	}
	return t.correlationIDs[index-1]
}

// noDetail is the detail of records without one. It is immutable.
var noDetail = detail{bytes: bytesPerDetail}

// detail returns the record's rarely used fields.
func (t *task) detail(r *record) *detail {
	if r.detail == 0 {
		return &noDetail
	}
	return t.details[r.detail-1]
}

const (
	maxDetails = 1<<16 - 1
	// detailsInSight is how many of the latest details are compared, so that a shared one is kept once.
	detailsInSight = 8
)

// keep adds the detail to the task and returns its index; 0, which means none, when there are too many.
func (t *task) keep(d *detail) uint16 {
	for i, known := range t.details[:min(detailsInSight, len(t.details))] {
		if known == d {
			return uint16(i + 1)
		}
	}
	if len(t.details) >= maxDetails {
		return 0
	}
	room := cap(t.details)
	t.details = append(t.details, d)
	t.held += int64(cap(t.details)-room) * bytesPerPointer
	return uint16(len(t.details))
}

// keepOwn keeps a detail that no other task shares.
func (t *task) keepOwn(d *detail) uint16 {
	d.weigh()
	t.held += d.size()
	return t.keep(d)
}

// list returns the steps of a discovery.
func (t *task) list(r *record) []int16 {
	if r.number < 0 {
		return nil
	}
	n := t.lists[r.number]
	return t.lists[r.number+1 : r.number+1+n]
}

// keepList adds the steps of a discovery to the task and returns their index; -1 when there are too many. The second announcement
// shares the list of the first.
func (t *task) keepList(a *Assembler, e *Event) int16 {
	indexes := a.indexes[:0]
	for _, id := range e.StepIDs {
		if i := t.stepIndex(a, ID{id, e.TaskID.Integer}, ""); i != noStep {
			indexes = append(indexes, i)
		}
	}
	a.indexes = indexes
	if len(t.lists) > 0 && slices.Equal(indexes, t.lists[t.lastList+1:]) {
		return t.lastList
	}
	place := len(t.lists)
	if place+1+len(indexes) > math.MaxInt16 {
		return -1
	}
	t.held += int64(1+len(indexes)) * bytesPerIndex
	t.lists = append(append(t.lists, int16(len(indexes))), indexes...)
	t.lastList = int16(place)
	return t.lastList
}

// small limits a count to a record's range, which exceeds what the engine sends.
func small(n int) int16 { return int16(max(-1, min(n, math.MaxInt16))) }

// add keeps what the tree needs of an event, with its time of arrival.
func (t *task) add(a *Assembler, e *Event, arrived int64) {
	k := classify(e)
	r := record{at: e.At, arrived: arrived, identity: e.key(), kind: k, step: noStep, number: -1, correlationID: t.correlationIndex(a, e.CorrelationID)}
	if e.StepID.Text != "" {
		r.step = t.stepIndex(a, e.StepID, e.StepName)
	}
	if t.name == "" && e.TaskName != "" {
		t.name = a.intern(e.TaskName)
		t.limits = a.waitsOf(t.name)
	}
	if e.Traceparent != "" && !t.fixed && (t.parent == "" || e.At < t.parentAt || e.At == t.parentAt && e.Traceparent < t.parent) {
		t.parent, t.parentAt = strings.Clone(e.Traceparent), e.At
	}
	switch k {
	case kindCreated:
		r.number = small(e.StepCount)
	case kindJobBegan:
		r.number = small(e.JobRun)
		if e.QueueName != "" {
			r.detail = t.keep(a.sharedDetail(e.QueueName))
		}
	case kindDiscovered:
		r.number = t.keepList(a, e)
	case kindBatchBegan:
		r.number = small(e.StepCount)
		if e.Mode != "" {
			r.detail = t.keep(a.sharedDetail(e.Mode))
		}
	case kindStepRequested:
		r.number = small(e.Attempt)
		if r.step != noStep && t.steps[r.step].deps == nil && len(e.Dependencies) > 0 {
			t.steps[r.step].shape = a.shape(t.steps[r.step].name, e.Dependencies)
		}
	case kindStepFailed, kindTaskFailed:
		f := &failure{message: strings.Clone(e.ErrorMessage), class: a.intern(e.ErrorClass), trace: strings.Clone(e.Backtrace)}
		if f.class == "" && e.Exception != "" {
			f.class, f.generic = a.intern(e.Exception), true
		}
		r.detail = t.keepOwn(&detail{failure: f})
		t.refused = t.refused || e.Refused
	case kindTaskCompleted:
		r.number = small(e.TotalSteps)
	case kindPassEnded:
		if e.FinalStatus != "" {
			r.detail = t.keep(a.sharedDetail(e.FinalStatus))
		}
	case kindBackoff:
		r.detail = t.keepOwn(&detail{text: a.intern(e.BackoffType), seconds: e.BackoffFor})
	case kindQuery:
		r.detail = t.keepOwn(&detail{text: strings.Clone(e.SQL), seconds: e.QueryDuration})
	case kindSpanEvent, kindStepReset, kindTaskPending, kindNothingViable, kindTaskCancelled, kindTaskResolved,
		kindStepCancelled, kindStepResolved:
		r.detail = t.keepOwn(&detail{text: a.intern(e.Name), attrs: a.copyAttributes(e.Attributes)})
	}
	if t.watch != nil {
		t.watch.observe(&r)
	}
	t.put(&r)
	if e.MemoryDeltaMB != 0 && !e.ShowsAttributes() {
		// An event that defines a span is also a span event, for its memory.
		r.kind, r.number = kindSpanEvent, -1
		r.detail = t.keepOwn(&detail{text: a.intern(e.Name), attrs: []Attribute{Double(lifecycle.AttrMemoryDeltaMB, e.MemoryDeltaMB)}})
		t.put(&r)
	}
	t.active = t.active || t.released != nil && (k == kindEnqueued || t.released.followedBy(k, e.At))
	if _, final := endingOf(e.FinalStatus); k.endsTask() || k == kindPassEnded && final {
		t.ended = true
	}
}

// callerOf returns the traceparent of the run's caller: the earliest of any event up to the beginning of the first pass. Spans of
// the pass are emitted while it runs, so a later one changes nothing.
func (t *task) callerOf(n *run) string {
	if len(n.passes) > 0 && t.parentAt > n.passes[0].start {
		return ""
	}
	return t.parent
}

func (t *task) put(r *record) {
	room := cap(t.packed.bytes)
	t.packed.add(r)
	t.held += int64(cap(t.packed.bytes) - room)
}
