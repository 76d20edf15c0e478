package assembly

import (
	"container/heap"
	"slices"
	"strings"
	"time"
)

// Limits bound what an assembler holds and for how long. All durations count from the last event that arrived of a task.
type Limits struct {
	// OpenTasks at a time. One more evicts the task that has been idle longest.
	OpenTasks int
	// EventsPerTask that are kept; more are dropped, but for those that end a pass or the task.
	EventsPerTask int
	// SpansPerTree that are emitted; children beyond are cut.
	SpansPerTree int
	// ReorderWindow is how long an ended task of which nothing is missing waits for stragglers.
	ReorderWindow time.Duration
	// SettleTimeout is how long an ended task waits for events that are known to be missing.
	SettleTimeout time.Duration
	// IdleTimeout is how long a task that has not ended stays open.
	IdleTimeout time.Duration
	// Remembered is how many released tasks are remembered, so that late events and reruns are known as such.
	Remembered int
}

// patience is how long after a cancellation a pass may begin that belongs to the cancelled run: a task whose job is still
// in the queue is held for it.
func (l *Limits) patience() int64 { return int64(l.SettleTimeout - l.ReorderWindow) }

// Stats counts what became of the events and the tasks. All fields but OpenTasks and HeldEvents only grow.
type Stats struct {
	Events     int64 // observed
	Late       int64 // dropped: older than the end of the tree that was released
	OverLimit  int64 // dropped: more than EventsPerTask
	Strays     int64 // dropped: after the end, without consequence
	SpansCut   int64
	Released   [ReasonShutdown + 1]int64 // trees by reason
	Incomplete int64                     // trees of tasks that had not ended
	OpenTasks  int64
	HeldEvents int64
}

// Assembler holds the open tasks of one shard. It is not safe for concurrent use: its owner serialises the calls. Trees
// go to the sink while a call runs; a tree and all in it may be used only until the sink returns.
type Assembler struct {
	limits   Limits
	sink     func(*Tree)
	tasks    map[TraceID]*task
	oldest   *task // by last arrival
	newest   *task
	agenda   agenda
	tails    map[TraceID]*tail
	released []TraceID // keys of tails, oldest first; a ring once it is full
	next     int       // the ring's oldest
	names    map[string]string
	words    map[string]*detail // of one word, shared by all tasks
	indexes  []int16            // room for reading a discovery
	composer composer
	stats    Stats
}

// New makes an assembler that hands its trees to the sink.
func New(limits Limits, sink func(*Tree)) *Assembler {
	return &Assembler{
		limits: limits, sink: sink, tasks: map[TraceID]*task{}, tails: map[TraceID]*tail{}, names: map[string]string{},
		words: map[string]*detail{},
	}
}

// Stats returns the counts so far.
func (a *Assembler) Stats() Stats {
	s := a.stats
	s.OpenTasks = int64(len(a.tasks))
	return s
}

// Observe takes in one event. It keeps no reference to the event or its strings.
func (a *Assembler) Observe(e *Event, now time.Time) {
	a.stats.Events++
	t := a.tasks[e.TraceID]
	if t == nil {
		before := a.tails[e.TraceID]
		if before != nil && before.isLate(e) {
			a.stats.Late++
			return
		}
		t = a.open(e, before, now.UnixNano())
	} else if t.tail != nil && t.tail.isLate(e) {
		a.stats.Late++
		return
	}
	if !t.roomFor(a, e) {
		t.dropped++
		a.stats.OverLimit++
		return
	}
	if e.At < t.resourceAt {
		t.resource, t.resourceAt = e.Resource, e.At
	}
	t.add(a, e)
	a.stats.HeldEvents++
	t.lastArrival = now.UnixNano()
	t.gappy = false
	a.touch(t)
	if due := a.due(t); due < t.deadline {
		a.schedule(t, due)
	}
}

// roomFor tells whether the task may hold one more event. What ends a task or a pass is always taken, or the task would
// never end.
func (t *task) roomFor(a *Assembler, e *Event) bool {
	if len(t.records) < a.limits.EventsPerTask {
		return true
	}
	if a.sort(t); len(t.records) < a.limits.EventsPerTask {
		return true
	}
	k := classify(e)
	return (k.endsTask() || k == kindPassEnded) && len(t.records) < 2*a.limits.EventsPerTask
}

// sort puts the task's records in order, without repetitions.
func (a *Assembler) sort(t *task) {
	before := len(t.records)
	t.sortRecords()
	a.stats.HeldEvents -= int64(before - len(t.records))
}

func (a *Assembler) history(t *task) []*run {
	a.sort(t)
	return t.history(a.limits.patience())
}

// open begins a task, or goes on with one that was released before.
func (a *Assembler) open(e *Event, before *tail, now int64) *task {
	if len(a.tasks) >= a.limits.OpenTasks && a.oldest != nil {
		a.release(a.oldest, ReasonEvicted)
	}
	t := &task{trace: e.TraceID, resource: e.Resource, resourceAt: e.At, id: ID{strings.Clone(e.TaskID.Text), e.TaskID.Integer}, lastArrival: now}
	if before != nil {
		kept := *before
		t.tail = &kept
		t.steps = slices.Clone(before.steps)
		t.name, t.parent = before.name, before.parent
	}
	a.tasks[e.TraceID] = t
	t.deadline = now + int64(a.limits.IdleTimeout) + 1
	return t
}

// due is when the task must be looked at.
func (a *Assembler) due(t *task) int64 {
	switch {
	case t.ended && !t.gappy:
		return t.lastArrival + int64(a.limits.ReorderWindow)
	case t.ended, t.tail != nil && !t.active:
		return t.lastArrival + int64(a.limits.SettleTimeout)
	}
	return t.lastArrival + int64(a.limits.IdleTimeout)
}

// NextDue is when Advance next has something to look at; false when no task is open.
func (a *Assembler) NextDue() (time.Time, bool) {
	if len(a.agenda) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, a.agenda[0].at), true
}

// Advance releases the tasks whose time has come. Its cost grows with their number, not with that of the open tasks.
func (a *Assembler) Advance(now time.Time) {
	for len(a.agenda) > 0 && a.agenda[0].at <= now.UnixNano() {
		entry := heap.Pop(&a.agenda).(appointment)
		t := entry.task
		if t.released || entry.at != t.deadline {
			continue
		}
		if due := a.due(t); due > now.UnixNano() {
			a.schedule(t, due)
			continue
		}
		a.look(t, now.UnixNano())
	}
}

// look decides about a task that has been quiet: it is released, or waits on.
func (a *Assembler) look(t *task, now int64) {
	if !t.ended {
		a.release(t, ReasonIdle)
		return
	}
	runs := a.history(t)
	gaps := 0
	for _, n := range runs {
		gaps += n.gaps
	}
	switch {
	case len(runs) > 0 && t.goesOnAfter(runs[len(runs)-1]):
		t.ended = false
	case gaps == 0 && t.dropped == 0:
		a.releaseRuns(t, runs, ReasonEnded)
		return
	case now >= t.lastArrival+int64(a.limits.SettleTimeout):
		a.releaseRuns(t, runs, ReasonSettled)
		return
	default:
		t.gappy = true
	}
	a.schedule(t, a.due(t))
}

// Flush releases every open task, those that have not ended as incomplete.
func (a *Assembler) Flush() {
	for a.oldest != nil {
		a.release(a.oldest, ReasonShutdown)
	}
	a.agenda = nil
}

func (a *Assembler) release(t *task, reason Reason) {
	a.releaseRuns(t, a.history(t), reason)
}

func (a *Assembler) releaseRuns(t *task, runs []*run, reason Reason) {
	held := len(t.records)
	used := 0
	if t.tail == nil && len(runs) > 0 {
		t.tail = new(tail)
	}
	for _, n := range runs {
		if !n.ended {
			a.stats.Incomplete++
		}
		tree := a.composer.compose(t, n, t.tail, reason, a.limits.SpansPerTree)
		if t.dropped > 0 {
			tree.Spans[0].truncated()
		}
		a.stats.Released[reason]++
		a.stats.SpansCut += int64(tree.Cut)
		used += len(n.records)
		a.sink(tree)
	}
	a.stats.Strays += int64(held - used)
	a.stats.HeldEvents -= int64(held)
	a.forget(t)
	a.remember(t)
}

func (a *Assembler) forget(t *task) {
	delete(a.tasks, t.trace)
	a.unlink(t)
	t.released = true
}

// remember keeps the tail of a released task, in place of the oldest one when all places are taken.
func (a *Assembler) remember(t *task) {
	if a.limits.Remembered <= 0 || t.tail == nil {
		return
	}
	kept := *t.tail
	kept.name = t.name
	kept.steps = make([]step, len(t.steps))
	for i, s := range t.steps {
		kept.steps[i] = step{id: s.id, name: s.name, deps: s.deps}
	}
	if _, known := a.tails[t.trace]; !known {
		if len(a.released) < a.limits.Remembered {
			a.released = append(a.released, t.trace)
		} else {
			delete(a.tails, a.released[a.next])
			a.released[a.next] = t.trace
			a.next = (a.next + 1) % len(a.released)
		}
	}
	a.tails[t.trace] = &kept
}

// touch makes the task the newest.
func (a *Assembler) touch(t *task) {
	if a.newest == t {
		return
	}
	a.unlink(t)
	t.older, t.newer = a.newest, nil
	if a.newest != nil {
		a.newest.newer = t
	}
	a.newest = t
	if a.oldest == nil {
		a.oldest = t
	}
}

func (a *Assembler) unlink(t *task) {
	if t.older != nil {
		t.older.newer = t.newer
	} else if a.oldest == t {
		a.oldest = t.newer
	}
	if t.newer != nil {
		t.newer.older = t.older
	} else if a.newest == t {
		a.newest = t.older
	}
	t.older, t.newer = nil, nil
}

// internedNames bounds the memory of strings that many tasks share: names of tasks, steps, queues and error classes.
const internedNames = 1 << 16

// intern returns a copy of the string that it shares with equal ones.
func (a *Assembler) intern(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := a.names[s]; ok {
		return known
	}
	s = strings.Clone(s)
	if len(a.names) < internedNames && len(s) <= 64 {
		a.names[s] = s
	}
	return s
}

// sharedWords bounds how many details of one word are shared.
const sharedWords = 1024

// word is a detail of one of the few words that passes, batches and jobs carry. It is shared and must not be changed.
func (a *Assembler) word(word string) *detail {
	if d, ok := a.words[word]; ok {
		return d
	}
	d := &detail{word: a.intern(word)}
	if len(a.words) < sharedWords {
		a.words[d.word] = d
	}
	return d
}

func (a *Assembler) copyAttributes(attrs []Attribute) []Attribute {
	if len(attrs) == 0 {
		return nil
	}
	kept := make([]Attribute, len(attrs))
	for i, attr := range attrs {
		attr.Key = a.intern(attr.Key)
		attr.Value.Text = a.intern(attr.Value.Text)
		if len(attr.Value.Strings) > 0 {
			list := make([]string, len(attr.Value.Strings))
			for j, s := range attr.Value.Strings {
				list[j] = strings.Clone(s)
			}
			attr.Value.Strings = list
		}
		kept[i] = attr
	}
	return kept
}

// appointment is a task's entry in the agenda. It counts only while it is the task's deadline.
type appointment struct {
	at   int64
	task *task
}

type agenda []appointment

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return x
}

func (a *Assembler) schedule(t *task, at int64) {
	t.deadline = at
	heap.Push(&a.agenda, appointment{at, t})
}
