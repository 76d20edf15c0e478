package assembly

import (
	"math"
	"time"
)

// waiting is what an open task waits for. Tasks of one kind wait equally long from their last event on, and each joins at
// the end: on its last event, or, of those that are looked at, in the order of the kind they leave. So the first of each
// kind is due first and idle longest, and nothing that happens to a task costs more the more tasks are open.
type waiting uint8

const (
	// waitQuiet: it ended, as far as is known with all its events.
	waitQuiet waiting = iota
	// waitMissing: it ended, and was looked at: events are missing.
	waitMissing
	// waitActivity: it was released, and nothing but the queue's own retries came since.
	waitActivity
	// waitEnd: it has not ended.
	waitEnd
	// waitResumed: it ended, and was looked at: it went on after its end.
	waitResumed

	waitings
)

// line is the tasks that wait for one thing, in the order of their last event.
type line struct{ first, last *task }

func (l *line) join(t *task) {
	t.before, t.after = l.last, nil
	if l.last != nil {
		l.last.after = t
	} else {
		l.first = t
	}
	l.last = t
}

func (l *line) leave(t *task) {
	if t.before != nil {
		t.before.after = t.after
	} else {
		l.first = t.after
	}
	if t.after != nil {
		t.after.before = t.before
	} else {
		l.last = t.before
	}
	t.before, t.after = nil, nil
}

// lines holds every open task in the line of what it waits for.
type lines [waitings]line

// move puts the task at the end of a line.
func (ls *lines) move(t *task, to waiting) {
	if t.waits == to && ls[to].last == t {
		return
	}
	ls[t.waits].leave(t)
	t.waits = to
	ls[to].join(t)
}

// oldest is the task that has been idle longest, nil when there is none.
func (ls *lines) oldest() *task {
	var oldest *task
	for i := range ls {
		if t := ls[i].first; t != nil && (oldest == nil || t.lastArrival < oldest.lastArrival) {
			oldest = t
		}
	}
	return oldest
}

// waits is how long a task waits from its last event on.
func (l *Limits) waits(w waiting) time.Duration {
	switch w {
	case waitQuiet:
		return l.ReorderWindow
	case waitMissing, waitActivity:
		return l.SettleTimeout
	default:
		return l.IdleTimeout
	}
}

// due finds the task that is due next and when; nil when none is open.
func (a *Assembler) due() (next *task, at int64) {
	at = math.MaxInt64
	for w := range waitings {
		if t := a.lines[w].first; t != nil {
			if due := t.lastArrival + int64(a.limits.waits(w)); next == nil || due < at {
				next, at = t, due
			}
		}
	}
	return next, at
}
