package assembly

// An assembler's state survives its process outside of it: its owner stores the events before they are observed, and what
// OnRelease tells; at the next start it gives both back, the releases by Recall and then the events by Observe. So the
// stored form is that of events, which hardly ever changes, and not that of open tasks, which often does.

// OnRelease makes the assembler tell which tasks its trees have finished: it calls told after the last tree of a task, with
// the time up to which its events are done with and with the task's tail, to be given to [Assembler.Recall]. The tail is
// valid until told returns.
func (a *Assembler) OnRelease(told func(trace TraceID, end int64, tail []byte)) { a.told = told }

// tell tells of a task that has been released.
func (a *Assembler) tell(t *task) {
	if a.told == nil {
		return
	}
	kept := *t.tail
	kept.name, kept.steps = t.name, t.steps
	a.stored = kept.appendTo(a.stored[:0])
	a.told(t.trace, kept.end, a.stored)
}

// Recall makes the assembler know a task that was released before the start. Of several releases of one task the last
// counts. Every Recall comes before the first Observe.
func (a *Assembler) Recall(trace TraceID, stored []byte) error {
	n, err := a.parseTail(stored)
	if err != nil {
		return err
	}
	a.rememberTail(trace, n)
	return nil
}

// Resume ends what follows a start: the events that were given back are not counted again.
func (a *Assembler) Resume() {
	a.stats = Stats{HeldEvents: a.stats.HeldEvents, HeldBytes: a.stats.HeldBytes}
}

// Holds tells whether an event of that time may be part of an open task, so that it must stay stored.
func (a *Assembler) Holds(trace TraceID, at int64) bool {
	t := a.tasks[trace]
	return t != nil && (t.tail == nil || at > t.tail.end)
}

// Remembers tells whether the release of a task with that end is its latest, and still known.
func (a *Assembler) Remembers(trace TraceID, end int64) bool {
	if t := a.tasks[trace]; t != nil && t.tail != nil {
		return t.tail.end == end
	}
	n := a.tails[trace]
	return n != nil && n.end == end
}
