package assembly

import (
	"encoding/hex"
	"slices"
)

// Names of what a task waits for beside its steps, as the bottleneck can be one of them.
const (
	waitQueue         = "queue"
	waitBackoff       = "backoff"
	waitOrchestration = "orchestration"
)

// mostOnPath is the number of attempts up to which a task's span names those of its critical path.
const mostOnPath = 1000

// criticalChain is the chain of steps that determined a run's duration, and what it waited for between them. The parts add
// up to the duration.
type criticalChain struct {
	names      []string // from the first to the last
	spans      []string // ids of the attempts, from the first to the last
	bottleneck string   // the step, or queue, backoff or orchestration, with the largest part
	share      float64  // of that part in the run's duration, 0 to 1

	steps, queue, backoff, orchestration int64
}

// criticalPath walks back from the run's end: from the attempt that ended last to the one it waited for, which is the
// attempt of the same step before it, the last of its dependencies to end, or, where no dependency is known, whichever
// attempt ended last before it began. The gaps between go to the queue, to the backoff or to the orchestration.
func criticalPath(t *task, n *run) criticalChain {
	c := criticalChain{}
	if n.end <= n.start {
		return c
	}
	bySteps := map[string]int64{}
	from := n.start
	for _, a := range n.chain(t) {
		c.spans = append(c.spans, hex.EncodeToString(a.span[:]))
		n.divideGap(&c, from, a.start, a.before)
		name := t.steps[a.step].name
		if name == "" {
			name = t.steps[a.step].id.Text
		}
		bySteps[name] += a.end - a.start
		c.steps += a.end - a.start
		from = a.end
		if len(c.names) == 0 || c.names[len(c.names)-1] != name {
			c.names = append(c.names, name)
		}
	}
	n.divideGap(&c, from, n.end, nil)
	largest := int64(-1)
	consider := func(name string, part int64) {
		if part > largest || part == largest && name < c.bottleneck {
			c.bottleneck, largest = name, part
		}
	}
	for name, part := range bySteps {
		consider(name, part)
	}
	consider(waitQueue, c.queue)
	consider(waitBackoff, c.backoff)
	consider(waitOrchestration, c.orchestration)
	c.share = float64(largest) / float64(n.end-n.start)
	return c
}

// chain is the attempts of the critical path, first to last.
func (n *run) chain(t *task) []*attempt {
	byEnd := slices.Clone(n.attempts)
	slices.SortStableFunc(byEnd, func(a, b *attempt) int { return int(min(1, max(-1, a.end-b.end))) })
	var chain []*attempt
	for i := len(byEnd) - 1; i >= 0; i = n.waitedFor(t, byEnd, i) {
		chain = append(chain, byEnd[i])
	}
	slices.Reverse(chain)
	return chain
}

// waitedFor is the place of the attempt whose end let the attempt at the place begin, or -1. It is before that place, also
// where attempts have no length, so the walk ends.
func (n *run) waitedFor(t *task, byEnd []*attempt, place int) int {
	a := byEnd[place]
	deps := t.steps[a.step].deps
	latest := -1
	for i := place - 1; i >= 0; i-- {
		b := byEnd[i]
		if b.end > a.start {
			continue
		}
		if b.step == a.step || slices.Contains(deps, t.steps[b.step].name) {
			return i
		}
		latest = max(latest, i)
	}
	if len(deps) > 0 || latest < 0 || !n.first(a) || byEnd[latest].batch == a.batch {
		return latest
	}
	return -1
}

// first tells whether the attempt is of the run's first batch. A root of the graph in it waited for nothing, but perhaps
// for a free thread.
func (n *run) first(a *attempt) bool { return a.batch == n.attempts[0].batch }

// divideGap adds a gap on the path to what was waited for. previous is the attempt before of the step that follows.
func (n *run) divideGap(c *criticalChain, from, to int64, previous *attempt) {
	if to <= from {
		return
	}
	rest := to - from
	if previous != nil && previous.backoff != nil {
		part := overlap(from, to, previous.backoff.at, to)
		c.backoff += part
		rest -= part
		to = min(to, max(from, previous.backoff.at))
	}
	if len(n.passes) == 0 {
		if w, ok := n.waitWithoutPass(); ok {
			part := overlap(from, to, w.start, w.end)
			c.queue += part
			rest -= part
		}
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			part := overlap(from, to, w.start, w.end)
			c.queue += part
			rest -= part
		}
	}
	c.orchestration += rest
}

func overlap(a, b, c, d int64) int64 { return max(0, min(b, d)-max(a, c)) }
