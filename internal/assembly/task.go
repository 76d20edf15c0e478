package assembly

import (
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// task is the set of events of one open task, and the tail of its runs that were released before.
type task struct {
	trace    TraceID
	resource *Resource
	id       ID
	name     string
	parent   string // traceparent of the caller
	steps    []step
	threads  []string // correlation ids; records refer to them by index, 0 is none
	records  []record
	sorted   bool // records are in order and free of repetitions

	details  []*detail
	lists    []int16 // the steps of discoveries, each list behind its length
	lastList int16

	tail *tail // nil until a run has been released

	lastArrival int64 // Unix nanoseconds of the collector's clock
	deadline    int64 // of the entry in the assembler's agenda
	resourceAt  int64 // time of the earliest event, whose resource counts
	dropped     int   // events over the limit
	ended       bool  // an event came that can end the task
	active      bool  // something happened beside the queue's own retries
	gappy       bool  // ended, and known to miss events
	refused     bool
	released    bool

	older, newer *task // neighbours in the order of last arrival
}

// step is a node of the task's graph, as far as events have told.
type step struct {
	id   ID
	name string
	deps []string
}

// tail is what remains of the released runs of a task.
type tail struct {
	runs     int
	end      int64            // of the last run; events up to here are too late
	status   lifecycle.Status // of the last run; empty when it had not ended
	task     SpanID
	attempts []attemptTail
	steps    []step
	name     string // of the task
	parent   string // traceparent of its caller
}

// attemptTail is the last attempt of a step.
type attemptTail struct {
	step   int16
	number int32
	span   SpanID
}

// stepIndex finds or adds the step. Tasks have few steps, so a scan beats a map.
func (t *task) stepIndex(a *Assembler, id ID, name string) int16 {
	for i := range t.steps {
		if t.steps[i].id.Text == id.Text {
			if t.steps[i].name == "" && name != "" {
				t.steps[i].name = a.intern(name)
			}
			return int16(i)
		}
	}
	if len(t.steps) >= maxSteps {
		return noStep
	}
	if len(t.steps) == cap(t.steps) {
		t.steps = slices.Grow(t.steps, max(stepsAtOnce, len(t.steps)/4))
	}
	t.steps = append(t.steps, step{id: ID{strings.Clone(id.Text), id.Integer}, name: a.intern(name)})
	return int16(len(t.steps) - 1)
}

// stepsAtOnce is by how many steps a task grows at least.
const stepsAtOnce = 3

// maxSteps is the number of steps that a record's index can name.
const maxSteps = 1<<15 - 1

// threadIndex finds or adds a correlation id. Index 0 means none, or one too many.
func (t *task) threadIndex(a *Assembler, id string) uint8 {
	if id == "" {
		return 0
	}
	for i, known := range t.threads {
		if known == id {
			return uint8(i + 1)
		}
	}
	if len(t.threads) >= maxThreads {
		return 0
	}
	t.threads = append(t.threads, a.intern(id))
	return uint8(len(t.threads))
}

const maxThreads = 1<<8 - 1

func (t *task) thread(index uint8) string {
	if index == 0 {
		return ""
	}
	return t.threads[index-1]
}

// recordsAtOnce is by how many records a task grows at least.
const recordsAtOnce = 12

// noDetail is what records without a detail tell. It is never changed.
var noDetail detail

// detail is what the record tells beyond itself.
func (t *task) detail(r *record) *detail {
	if r.detail == 0 {
		return &noDetail
	}
	return t.details[r.detail-1]
}

const (
	maxDetails = 1<<16 - 1
	// detailsInSight is how many details are compared, to keep a shared one once.
	detailsInSight = 8
)

// keep puts the detail beside the records and returns its place; 0, which is no detail, when there are too many.
func (t *task) keep(d *detail) uint16 {
	for i, known := range t.details[:min(detailsInSight, len(t.details))] {
		if known == d {
			return uint16(i + 1)
		}
	}
	if len(t.details) >= maxDetails {
		return 0
	}
	t.details = append(t.details, d)
	return uint16(len(t.details))
}

// list is the steps of a discovery.
func (t *task) list(r *record) []int16 {
	if r.number < 0 {
		return nil
	}
	n := t.lists[r.number]
	return t.lists[r.number+1 : r.number+1+n]
}

// keepList puts the steps of a discovery beside the records and returns their place; -1 when there are too many. The
// second announcement shares the place of the first.
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
	t.lists = append(append(t.lists, int16(len(indexes))), indexes...)
	t.lastList = int16(place)
	return t.lastList
}

// small is a count as a record keeps it: larger ones than the engine has are cut.
func small(n int) int16 { return int16(max(-1, min(n, math.MaxInt16))) }

// add keeps what the tree will need of the event.
func (t *task) add(a *Assembler, e *Event) {
	k := classify(e)
	r := record{at: e.At, identity: uint32(e.Identity ^ e.Identity>>32), kind: k, step: noStep, number: -1, thread: t.threadIndex(a, e.CorrelationID)}
	if e.StepID.Text != "" {
		r.step = t.stepIndex(a, e.StepID, e.StepName)
	}
	if t.name == "" && e.TaskName != "" {
		t.name = a.intern(e.TaskName)
	}
	if t.parent == "" && e.Traceparent != "" {
		t.parent = strings.Clone(e.Traceparent)
	}
	switch k {
	case kindCreated:
		r.number = small(e.StepCount)
	case kindJobBegan:
		r.number = small(e.JobRun)
		if e.QueueName != "" {
			r.detail = t.keep(a.word(e.QueueName))
		}
	case kindDiscovered:
		r.number = t.keepList(a, e)
	case kindBatchBegan:
		r.number = small(e.StepCount)
		if e.Mode != "" {
			r.detail = t.keep(a.word(e.Mode))
		}
	case kindStepRequested:
		r.number = small(e.Attempt)
		if r.step != noStep && t.steps[r.step].deps == nil && len(e.Dependencies) > 0 {
			deps := make([]string, len(e.Dependencies))
			for i, name := range e.Dependencies {
				deps[i] = a.intern(name)
			}
			t.steps[r.step].deps = deps
		}
	case kindStepFailed, kindTaskFailed:
		f := &failure{message: strings.Clone(e.ErrorMessage), class: a.intern(e.ErrorClass), trace: strings.Clone(e.Backtrace)}
		if f.class == "" && e.Exception != "" {
			f.class, f.generic = a.intern(e.Exception), true
		}
		r.detail = t.keep(&detail{failure: f})
		t.refused = t.refused || e.Refused
	case kindTaskCompleted:
		r.number = small(e.TotalSteps)
	case kindPassEnded:
		if e.FinalStatus != "" {
			r.detail = t.keep(a.word(e.FinalStatus))
		}
	case kindBackoff:
		r.detail = t.keep(&detail{word: a.intern(e.BackoffType), seconds: e.BackoffFor})
	case kindQuery:
		r.detail = t.keep(&detail{word: strings.Clone(e.SQL), seconds: e.QueryDuration})
	case kindNote, kindStepReset, kindTaskPending, kindNothingViable, kindTaskCancelled, kindTaskResolved,
		kindStepCancelled, kindStepResolved:
		r.detail = t.keep(&detail{word: a.intern(e.Name), attrs: a.copyAttributes(e.Attributes)})
	}
	if len(t.records) == cap(t.records) {
		// Most tasks have few events and there are many tasks: less room ahead than append would make.
		t.records = slices.Grow(t.records, max(recordsAtOnce, len(t.records)/4))
	}
	t.records = append(t.records, r)
	t.sorted = false
	t.active = t.active || t.tail != nil && (k == kindEnqueued || t.tail.followedBy(k, e.At))
	if _, final := finalStatuses[e.FinalStatus]; k.endsTask() || k == kindPassEnded && final {
		t.ended = true
	}
}
