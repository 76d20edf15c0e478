package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

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
	left            int   // how many records of the run were read when it was left
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
	span, work     SpanID
}

func (a *attempt) running() bool { return a.ends == 0 }

// stretch makes the attempt hold the time. Where a clock has seconds only, events of one attempt can seem out of order.
func (a *attempt) stretch(at int64) { a.start, a.end = min(a.start, at), max(a.end, at) }
