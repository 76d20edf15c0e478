package assembly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// followUp is how long after the end of a run another announcement of the same end, outside a pass, still belongs to it.
const followUp = int64(2e9)

// announcements is how often the engine tells the beginning and the end of an attempt, what a search for steps that are
// ready came to, and the beginning and the end of a pass's finalization (docs/tasker-events.md, "The order in one task, and
// what repeats").
const (
	attemptAnnouncements      = 3
	searchAnnouncements       = 2
	finalizationAnnouncements = 2
)

// run is one life of a task, from its first event to its end.
type run struct {
	start, end int64
	status     lifecycle.Status
	failure    *failure // of a failed task
	ended      bool
	operated   bool // an operator ended the task
	passes     []*pass
	attempts   []*attempt
	records    []record
	to         int // index of the task's record behind the last of the run
	gaps       int // what should be there and is not
}

// pass is one orchestration pass.
type pass struct {
	start, end      int64
	thread          uint16
	batches         []*batch
	searches        []search
	job             *record // the job's enqueue event before the pass
	finalizing      int64   // 0: not announced
	finalizations   int
	ends            int
	finalStatus     string
	synthesized     bool
	idle            bool  // it told that there was nothing more to do
	searching       int64 // where the search for viable steps began; 0 while a batch runs
	discoveredSteps []int16
	span            SpanID
}

// search is one dependency resolution: from the pass's start or a batch's end to the discovery.
type search struct{ start, end int64 }

// batch is one set of steps executed together.
type batch struct {
	start, end  int64
	size        int16 // as announced; -1 when unknown
	mode        string
	listed      []int16
	attempts    []*attempt
	synthesized bool
	announced   bool // its end was
	spun        bool // listed only steps that could not run
	span        SpanID
}

// attempt is one attempt of one step.
type attempt struct {
	step           int16
	number         int32
	started        int32 // attempt_number of its first event
	start, end     int64
	handler        int64 // 0: before_handle did not come
	firstEnd       int64 // 0: no terminal announcement came
	status         lifecycle.Status
	failure        *failure
	thread         uint16
	requests, ends int
	lastRequest    int64
	synthesized    bool
	backoff        *record
	batch          *batch
	pass           *pass
	before, after  *attempt // of the same step, in this run
	critical       bool
	span, work     SpanID
}

func (a *attempt) running() bool { return a.ends == 0 }

// stretch makes the attempt hold the time. Where a clock has seconds only, events of one attempt can seem out of order.
func (a *attempt) stretch(at int64) { a.start, a.end = min(a.start, at), max(a.end, at) }

// sortRecords puts the records in the order in which they happened and drops repetitions of one item.
func (t *task) sortRecords() {
	if t.coarse = t.fullSeconds(); t.coarse {
		t.refine()
		return
	}
	slices.SortFunc(t.records, compareRecords)
	t.records = slices.CompactFunc(t.records, func(a, b record) bool {
		return a.at == b.at && a.same(&b)
	})
	t.createFirst()
}

func compareRecords(a, b record) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.identity, b.identity), cmp.Compare(a.step, b.step))
}

// fullSeconds tells whether some clock of the task has a resolution of a second only. One of a millisecond, too, hits the full
// second now and then.
func (t *task) fullSeconds() bool {
	full, last := 0, uint32(0)
	for i := range t.records {
		if r := &t.records[i]; r.at%int64(time.Second) == 0 && (full == 0 || r.identity != last) { // a repetition tells nothing
			full++
			last = r.identity
		}
	}
	return full > 1 && full > len(t.records)/16
}

// createFirst puts the creation, and the enqueuing that follows it, before the work of the job. Where the clock of the
// creator is ahead of the worker's, they seem to come later.
func (t *task) createFirst() {
	if t.tail != nil {
		return
	}
	created := slices.IndexFunc(t.records, func(r record) bool { return r.kind == kindCreated })
	if created < 0 {
		return
	}
	worked := slices.IndexFunc(t.records[:created], func(r record) bool { return r.kind == kindJobBegan || r.kind == kindPassBegan })
	if worked < 0 {
		return
	}
	begin := t.records[worked].at
	t.records[created].at = begin
	queued := slices.IndexFunc(t.records, func(r record) bool { return r.kind == kindEnqueued })
	if queued > created {
		t.records[queued].at = begin
	}
	slices.SortFunc(t.records, compareRecords)
}

// refine sorts records of which some have the time by the second only: several batches begin and end within one. Such a
// record happened, as far as its clock can tell, when the one that arrived before it happened, and the order of arrival
// stands between records of one instant. It is the only place where arrival counts.
func (t *task) refine() {
	last := int64(math.MinInt64)
	seen := make(map[uint32]int, len(t.records))
	kept := t.records[:0]
	for _, r := range t.records {
		if first, again := seen[r.identity]; again && kept[first].same(&r) {
			continue
		}
		seen[r.identity] = len(kept)
		if r.at <= last && last < r.at+resolution(r.at) {
			r.at = last
		}
		last = r.at
		kept = append(kept, r)
	}
	t.records = kept
	slices.SortStableFunc(t.records, func(a, b record) int { return cmp.Compare(a.at, b.at) })
}

// same tells whether two records of one time are one item, sent twice.
func (r *record) same(other *record) bool {
	return r.kind == other.kind && r.step == other.step && r.identity == other.identity
}

// reader goes over the records of a task from front to back and keeps what is open.
type reader struct {
	task    *task
	run     *run
	pass    *pass
	batch   *batch
	current []*attempt // by step: the attempt that its next event belongs to
	resets  []bool     // by step: put back since its last attempt
	listed  []bool     // by step: room for reading a batch
	counts  []int32    // by step: attempts so far, over all runs
	job     *record    // of the pass to come
	rerun   bool
}

// history reads the runs out of a task's sorted records. The runs point into t.records.
func (t *task) history(patience int64) []*run {
	rd := reader{task: t, current: make([]*attempt, len(t.steps)), resets: make([]bool, len(t.steps)), listed: make([]bool, len(t.steps)), counts: make([]int32, len(t.steps))}
	if t.tail != nil {
		for _, tail := range t.tail.attempts {
			rd.counts[tail.step] = tail.number
		}
	}
	var runs []*run
	for i, span := range t.splitRuns(patience) {
		rd.rerun = i > 0 || t.tail != nil
		n := rd.readRun(t.records[span.from:span.to])
		n.to = span.to
		runs = append(runs, n)
	}
	return runs
}

// readRun reads one run.
func (rd *reader) readRun(records []record) *run {
	rd.run = &run{start: records[0].at, records: records}
	rd.pass, rd.batch, rd.job = nil, nil, nil
	clear(rd.current)
	clear(rd.resets)
	for i := range records {
		rd.read(&records[i])
	}
	rd.closePass()
	rd.finish()
	return rd.run
}

func (rd *reader) read(r *record) {
	if p := rd.pass; p != nil && p.ends > 0 && r.kind != kindPassEnded && r.kind != kindPassBegan && !rd.endsKnownAttempt(r) {
		rd.closePass()
	}
	if rd.pass == nil && r.kind.insidePass() && !rd.endsKnownAttempt(r) {
		rd.openPass(r, true)
	}
	switch r.kind {
	case kindJobBegan:
		rd.closePass()
		rd.job = r
	case kindTaskStarted:
		rd.closePass()
	case kindPassBegan:
		rd.closePass()
		rd.openPass(r, false)
	case kindDiscovered:
		rd.discovered(r)
	case kindNothingViable:
		rd.pass.idle = true
	case kindBatchBegan:
		rd.closeBatch(r.at)
		rd.openBatch(r, false)
	case kindBatchEnded:
		rd.batchEnded(r)
	case kindStepRequested:
		rd.requested(r)
	case kindHandlerBegan:
		rd.handled(r)
	case kindStepCompleted, kindStepFailed:
		rd.stepEnded(r)
	case kindStepCancelled, kindStepResolved:
		if r.step != noStep {
			if a := rd.current[r.step]; a != nil && a.running() {
				rd.stepEnded(r)
			}
		}
	case kindStepReset:
		if r.step != noStep {
			rd.resets[r.step] = true
		}
	case kindBackoff:
		if r.step != noStep {
			if a := rd.current[r.step]; a != nil && a.backoff == nil {
				a.backoff = r
			}
		}
	case kindFinalizing:
		rd.closeBatch(r.at)
		p := rd.pass
		if p.finalizations == 0 {
			p.finalizing = r.at
		}
		p.finalizations++
	case kindPassEnded:
		rd.closeBatch(r.at)
		rd.pass.ends++
		rd.pass.end = max(rd.pass.end, r.at)
		if status := rd.task.detail(r).word; status != "" {
			rd.pass.finalStatus = status
		}
	}
	if rd.ofAnotherPass(r) {
		rd.run.gaps++
	}
	if rd.pass != nil && rd.pass.ends == 0 && r.kind.insidePass() {
		rd.pass.start, rd.pass.end = min(rd.pass.start, r.at), max(rd.pass.end, r.at)
	}
	if r.kind.endsTask() {
		rd.run.ended = true
		rd.run.status = r.kind.status()
		rd.run.operated = r.kind.operated()
		if r.kind == kindTaskFailed && (rd.run.failure == nil || rd.run.failure.message == "") {
			rd.run.failure = rd.task.detail(r).failure
		}
	}
}

// ofAnotherPass tells whether an event that only a pass fires has another correlation id than the pass that is open (trap 6):
// the end of that one and the beginning of the event's own did not come. Without them two passes seem to be one.
func (rd *reader) ofAnotherPass(r *record) bool {
	switch r.kind {
	case kindDiscovered, kindNothingViable, kindBatchBegan, kindBatchEnded, kindFinalizing, kindPassEnded:
		p := rd.pass
		return p != nil && r.thread != p.thread && r.thread != 0 && p.thread != 0
	}
	return false
}

// endsKnownAttempt tells whether the event is a terminal announcement of an attempt that has begun: the first, or another
// of the same outcome.
func (rd *reader) endsKnownAttempt(r *record) bool {
	if !r.kind.endsAttempt() || r.step == noStep {
		return false
	}
	a := rd.current[r.step]
	return a != nil && (a.running() && !rd.putBack(a) || !a.running() && a.ends < attemptAnnouncements && a.status == r.kind.status())
}

// putBack tells whether the attempt's step was put back since it began. Within a batch a step runs once: there it only seems
// so, because the operator's clock differs from the worker's.
func (rd *reader) putBack(a *attempt) bool { return rd.resets[a.step] && a.batch != rd.batch }

func (rd *reader) openPass(r *record, synthesized bool) {
	p := &pass{start: r.at, end: r.at, thread: r.thread, synthesized: synthesized, searching: r.at, job: rd.job}
	if synthesized {
		p.thread = 0
		rd.run.gaps++
	}
	rd.job = nil
	rd.pass = p
	rd.run.passes = append(rd.run.passes, p)
}

func (rd *reader) closePass() {
	p := rd.pass
	if p == nil {
		return
	}
	rd.closeBatch(p.end)
	if p.ends < finalizationAnnouncements || p.finalizations < finalizationAnnouncements {
		rd.run.gaps++
	}
	rd.pass = nil
}

func (rd *reader) discovered(r *record) {
	p := rd.pass
	rd.closeBatch(r.at)
	if p.searching != 0 {
		p.searches = append(p.searches, search{p.searching, r.at})
		p.searching = 0
		p.discoveredSteps = rd.task.list(r)
	}
}

// openBatch begins a batch at the event, which announces it or, where the announcement is missing, is its first sign.
func (rd *reader) openBatch(r *record, synthesized bool) {
	b := &batch{start: r.at, end: r.at, size: -1, listed: rd.pass.discoveredSteps, synthesized: synthesized}
	if synthesized {
		rd.run.gaps++
	} else {
		b.size, b.mode = r.number, rd.task.detail(r).word
	}
	if rd.pass.searching != 0 && !synthesized {
		rd.run.gaps++ // its discovery did not come
	}
	rd.pass.searching = 0
	rd.pass.batches = append(rd.pass.batches, b)
	rd.batch = b
}

// closeBatch ends a batch whose end was not announced: with the last event of its steps.
func (rd *reader) closeBatch(now int64) {
	if rd.batch == nil {
		return
	}
	rd.run.gaps++
	rd.pass.searching = now
	rd.batch = nil
}

func (rd *reader) batchEnded(r *record) {
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	b := rd.batch
	b.end, b.announced = max(b.end, r.at), true
	b.spun = len(b.attempts) == 0 && rd.allFailed(b.listed)
	rd.pass.searching = r.at
	rd.pass.discoveredSteps = nil
	rd.batch = nil
}

// allFailed tells whether each of the steps has failed and nobody has put it back: a pass that finds nothing else spins
// through empty batches (docs/tasker-events.md, "The order in one task, and what repeats").
func (rd *reader) allFailed(steps []int16) bool {
	for _, step := range steps {
		if a := rd.current[step]; a == nil || a.status != lifecycle.StatusFailure || rd.resets[step] {
			return false
		}
	}
	return len(steps) > 0
}

// requested reads the announcement that an attempt begins: the first one begins it, the others repeat it.
func (rd *reader) requested(r *record) {
	if r.step == noStep {
		return
	}
	a := rd.current[r.step]
	again := a != nil && a.running() && a.handler == 0 && a.requests < attemptAnnouncements && a.pass == rd.pass &&
		(a.batch == rd.batch || rd.batch == nil && !rd.resets[r.step])
	if !again && !rd.sameAttempt(a, r) {
		a = rd.openAttempt(r, false)
	}
	a.requests++
	a.lastRequest = max(a.lastRequest, r.at)
	a.stretch(r.at)
}

// sameAttempt tells whether an announcement that an attempt begins, which comes after its end, repeats that attempt all
// the same: as many attempts were finished before it. Some announcements have milliseconds and others only seconds, so
// without occurred_at they change places.
func (rd *reader) sameAttempt(a *attempt, r *record) bool {
	return a != nil && a.requests < attemptAnnouncements && r.number >= 0 && int32(r.number) == a.started && !rd.resets[r.step]
}

func (rd *reader) openAttempt(r *record, synthesized bool) *attempt {
	if rd.batch != nil && rd.inNextBatch(r.step) {
		rd.closeBatch(r.at)
	}
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	a := &attempt{
		step: r.step, start: r.at, end: r.at, lastRequest: r.at, started: -1, thread: r.thread, synthesized: synthesized,
		batch: rd.batch, pass: rd.pass,
	}
	if r.kind == kindStepRequested {
		a.started = int32(r.number)
	}
	rd.counts[r.step]++
	if a.started >= rd.counts[r.step] {
		rd.run.gaps++ // earlier attempts happened that no event told of
		rd.counts[r.step] = a.started + 1
	}
	a.number = rd.counts[r.step]
	if a.before = rd.current[r.step]; a.before != nil {
		a.before.after = a
	}
	rd.current[r.step] = a
	rd.resets[r.step] = false
	rd.batch.attempts = append(rd.batch.attempts, a)
	rd.run.attempts = append(rd.run.attempts, a)
	return a
}

// inNextBatch tells whether an attempt of the step that begins now can not be in the batch that is open: the step, or one
// that it waits for, is in that already. The end of the batch, and the beginning of the next, did not come.
func (rd *reader) inNextBatch(step int16) bool {
	deps := rd.task.steps[step].deps
	for _, a := range rd.batch.attempts {
		if a.step == step || slices.Contains(deps, rd.task.steps[a.step].name) {
			return true
		}
	}
	return false
}

func (rd *reader) handled(r *record) {
	if r.step == noStep {
		return
	}
	a := rd.current[r.step]
	if a == nil || a.handler != 0 || rd.putBack(a) || !a.running() && a.firstEnd < r.at {
		a = rd.openAttempt(r, true)
	}
	a.handler = r.at
	a.stretch(r.at)
}

func (rd *reader) stepEnded(r *record) {
	if r.step == noStep {
		return
	}
	a := rd.current[r.step]
	if !rd.endsKnownAttempt(r) {
		if rd.pass == nil {
			rd.openPass(r, true)
		}
		a = rd.openAttempt(r, true)
	}
	if a.ends == 0 {
		a.firstEnd = r.at
	}
	a.ends++
	a.stretch(r.at)
	a.status = r.kind.status()
	if f := rd.task.detail(r).failure; f != nil && (a.failure == nil || a.failure.generic && !f.generic) {
		a.failure = f
	}
	if r.kind != kindStepFailed && r.kind != kindStepCompleted {
		a.ends = attemptAnnouncements // told once
	}
}

// finish closes the run: children inside parents, the end by the rule of docs/span-hierarchy.md, and the count of gaps.
func (rd *reader) finish() {
	n := rd.run
	requests := attemptAnnouncements
	if rd.task.coarse {
		requests-- // two of them are the same but for the clock, and one may have been taken for a repetition
	}
	for _, a := range n.attempts {
		if a.requests < requests || a.ends < attemptAnnouncements || a.handler == 0 {
			n.gaps++
		}
		a.batch.start = min(a.batch.start, a.start)
		a.batch.end = max(a.batch.end, a.end)
	}
	for _, p := range n.passes {
		if n.status == lifecycle.StatusFailure && len(p.batches) == 0 && !p.idle {
			n.gaps++ // the steps that failed did not come
		}
		if p.discoveredSteps != nil {
			n.gaps++ // nor did the batch of the last discovery
		}
		for _, b := range p.batches {
			if !b.spun && (b.size >= 0 && int(b.size) != len(b.attempts) || !rd.ranListed(b)) {
				n.gaps++
			}
			p.start, p.end = min(p.start, b.start), max(p.end, b.end)
		}
		if end, final := finalStatuses[p.finalStatus]; final && !n.ended {
			n.ended, n.status = true, end.status()
			n.gaps++
		}
	}
	n.end = n.start
	if !n.ended {
		n.end = n.records[len(n.records)-1].at
	}
	for i := range n.records {
		if r := &n.records[i]; r.kind.endsTask() {
			n.end = max(n.end, r.at)
			for _, p := range n.passes {
				if p.start <= r.at && r.at <= p.end {
					n.end = max(n.end, p.end)
				}
			}
		}
	}
	for _, p := range n.passes {
		n.start, n.end = min(n.start, p.start), max(n.end, p.end)
	}
	n.gaps += rd.missing()
	if rd.task.jobWaits(n) {
		n.gaps++
	}
}

// ranListed tells whether the batch ran the steps of the discovery before it. Otherwise that was of another batch, of which
// nothing else came.
func (rd *reader) ranListed(b *batch) bool {
	if len(b.listed) == 0 {
		return true
	}
	for _, step := range b.listed {
		rd.listed[step] = true
	}
	ran := len(b.listed) == len(b.attempts)
	for _, a := range b.attempts {
		ran = ran && rd.listed[a.step]
	}
	for _, step := range b.listed {
		rd.listed[step] = false
	}
	return ran
}

// waitedForKnown tells whether of all that the run's steps wait for something came. Where whole batches did not, nothing else
// tells of them.
func (rd *reader) waitedForKnown() bool {
	steps := rd.task.steps
	known := make(map[string]bool, len(steps))
	for i := range rd.run.records {
		if r := &rd.run.records[i]; r.step != noStep {
			known[steps[r.step].name] = true
		}
	}
	for _, a := range rd.run.attempts {
		for _, dep := range steps[a.step].deps {
			if !known[dep] {
				return false
			}
		}
	}
	return true
}

// missing counts what a first run should have told and did not: its creation, its enqueuing, the runs of its job, its steps,
// the second of two announcements.
func (rd *reader) missing() int {
	if rd.rerun || rd.task.refused {
		return 0
	}
	gaps, ends, jobs, lastJob, completed := 1, 0, 0, int16(0), int16(0)
	begun, enqueued, discoveries, idle := int64(0), false, 0, 0
	for _, p := range rd.run.passes {
		begun = p.start
	}
	for i := range rd.run.records {
		r := &rd.run.records[i]
		switch {
		case r.kind == kindCreated:
			gaps = 0
		case r.kind == kindEnqueued:
			enqueued = true
		case r.kind == kindDiscovered:
			discoveries++
		case r.kind == kindNothingViable:
			idle++
		case r.kind == kindJobBegan && r.at <= begun:
			jobs++
			lastJob = max(lastJob, r.number-1)
		case r.kind == kindTaskCompleted:
			ends++
			completed = max(completed, r.number)
		case r.kind == kindTaskFailed:
			ends++
		}
	}
	if jobs > 0 && !enqueued {
		gaps++
	}
	if discoveries%searchAnnouncements != 0 || idle%searchAnnouncements != 0 {
		gaps++
	}
	if jobs != len(rd.run.passes) || int(lastJob) > jobs {
		gaps++
	}
	if !rd.waitedForKnown() {
		gaps++
	}
	if (rd.run.status == lifecycle.StatusSuccess || rd.run.status == lifecycle.StatusFailure) && ends < finalizationAnnouncements {
		gaps++
	}
	if rd.run.status == lifecycle.StatusSuccess && completed > 0 {
		done := int16(0)
		for _, a := range rd.current {
			if a != nil && a.status == lifecycle.StatusSuccess {
				done++
			}
		}
		if done < completed {
			gaps++
		}
	}
	return gaps
}
