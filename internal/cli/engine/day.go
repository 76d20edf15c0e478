// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"container/heap"
	"math"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// DayOptions of [NewDay]. The zero value of a field selects its default.
type DayOptions struct {
	Start time.Time // of the first day, at 8 a.m.
	// Length is the duration of a day, which is then repeated; default one hour.
	Length time.Duration
	// TasksPerMinute is the peak rate; default 30.
	TasksPerMinute float64
	Seed           uint64
	Service        string // default "shop"
	FirstID        int64  // ID of the first task and of the first step; default 1
}

// Day is an endless stream of plausible days: quiet nights and busy afternoons, retries, an outage of the payment service
// with its consequences, stuck tasks, killed workers, and an operator. It is not safe for concurrent use. It holds the
// events of tasks that have begun, each at most a quarter of an hour long.
type Day struct {
	options DayOptions
	g       *generator
	next    int64 // start of the next task
	id      int64
	waiting emissions
}

// NewDay starts a stream.
func NewDay(o DayOptions) *Day {
	o.Length = cmp.Or(o.Length, time.Hour)
	o.TasksPerMinute = cmp.Or(o.TasksPerMinute, 30)
	o.Service = cmp.Or(o.Service, "shop")
	o.FirstID = cmp.Or(o.FirstID, 1)
	begin := o.Start.UnixNano()
	g := newGenerator(Options{Service: o.Service, Planned: true, FirstID: o.FirstID}, o.Seed, 2, begin)
	return &Day{options: o, g: g, next: begin, id: o.FirstID}
}

// Next returns the next event, an item of the plain wire format, and its time.
func (d *Day) Next() (line []byte, at time.Time) {
	for len(d.waiting) == 0 || d.next <= d.waiting[0].at {
		d.begin()
	}
	e := heap.Pop(&d.waiting).(emission)
	return e.line, time.Unix(0, e.at)
}

// begin simulates the next task and draws the start of the following one.
func (d *Day) begin() {
	d.live(d.next)
	for _, e := range d.g.emitted {
		heap.Push(&d.waiting, e)
	}
	d.g.emitted = d.g.emitted[:0]
	perSecond := d.options.TasksPerMinute / 60 * load(d.hour(d.next))
	d.next += int64(min(d.g.rng.ExpFloat64()/perSecond, 60) * float64(second))
}

// begins is the hour at which the first day begins.
const begins = 8

// hour returns the time of day, from 0 to 24.
func (d *Day) hour(at int64) float64 {
	of := time.Duration(at-d.options.Start.UnixNano()) % d.options.Length
	return math.Mod(begins+24*float64(of)/float64(d.options.Length), 24)
}

// load returns the share of the peak rate: low at night, highest at 2 p.m.
func load(hour float64) float64 {
	return 0.1 + 0.9*max(0, math.Sin((hour-6)/16*math.Pi))
}

// Hours of the outage of the payment service, and of the end of the operator's shift.
const outageBegins, outageEnds, operatorGoes = 13, 15, 18

// workflow draws a workflow: mostly orders, registrations, occasionally analytics.
func (d *Day) workflow() string {
	switch r := d.g.rng.Float64(); {
	case r < 0.6:
		return "process_order"
	case r < 0.9:
		return "user_registration"
	}
	return "customer_analytics"
}

// live simulates a task that begins at that time, with the incidents of that hour.
func (d *Day) live(at int64) {
	name, hour, chance := d.workflow(), d.hour(at), d.g.rng.Float64()
	m := newModel(d.g, d.id, name, templateOf(name), at)
	d.id++
	d.g.options.Failures = true
	outage := hour >= outageBegins && hour < outageEnds
	switch {
	case outage && name == "process_order" && chance < 0.7:
		d.throughOutage(m, chance < 0.35)
	case hour >= outageEnds && hour < operatorGoes && chance < 0.05:
		m.createAndRound()
		m.cancelDuring(func() { m.round() })
		m.discover()
		m.endPass()
	case chance > 0.995: // never resumed
		m.failing(m.steps[0].name, 1)
		m.createAndRound()
		m.discoverNothing()
		m.endPass()
	case chance > 0.985:
		m.createAndRound()
		m.discover()
		s := m.firstPending()
		m.hang(s)
		m.now += minute // the worker is dead, and another one continues the task
		m.reset(s, d.g.creator)
		m.now += 10 * second
		m.finish(1)
	default:
		m.live()
	}
	switch {
	case chance > 0.97:
		m.memorySpike()
	case chance > 0.95:
		m.slowQuery()
	}
}

// throughOutage fails the payment until its attempts are exhausted. For some tasks an operator later resets the step, and
// the task completes; others stay failed.
func (d *Day) throughOutage(m *model, resolved bool) {
	const step = "process_payment"
	m.failing(step, m.step(step).limit)
	m.create()
	m.finish(0)
	if resolved {
		m.now += d.g.between(minute, 10*minute)
		s := m.step(step)
		s.attempts, s.failing = 0, 0
		m.resetFailedSteps()
		m.enqueueAgain()
		m.pass(0)
	}
}

func (m *model) firstPending() *stepModel {
	for _, s := range m.steps {
		if s.state == pending {
			return s
		}
	}
	return m.steps[len(m.steps)-1]
}

// memorySpike fires an event of the application's memory monitoring in the task's first step.
func (m *model) memorySpike() {
	at := m.truth.Orchestrations[0].Start + 200*millisecond
	m.emitAs(m.g.pool[0], lifecycle.PerformanceMemorySpike, at, payload{}.with("timestamp", isoMillis(at), "task_id", m.id,
		"operation", m.steps[0].name, "memory_delta_mb", float64(m.g.between(110, 900)), "threshold_mb", 100, "duration", 0.4))
}

// slowQuery fires an event of the application's database monitoring in the task's first step.
func (m *model) slowQuery() {
	at := m.truth.Orchestrations[0].Start + 200*millisecond
	m.emitAs(m.g.pool[0], lifecycle.PerformanceSlowSQLQuery, at, payload{}.with("timestamp", isoMillis(at), "task_id", m.id,
		"operation", "SELECT orders", "duration", float64(m.g.between(1100, 4000))/1000, "threshold", 1))
}

// emissions is a heap by time.
type emissions []emission

func (e emissions) Len() int           { return len(e) }
func (e emissions) Less(i, j int) bool { return e[i].at < e[j].at }
func (e emissions) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *emissions) Push(x any) { *e = append(*e, x.(emission)) }

// Pop implements heap.Interface.
func (e *emissions) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
