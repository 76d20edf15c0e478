// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package livedata is what components offer to the extension tasker_pages: what they hold anyway, to be looked at. A
// component looks for the extension when it starts, as for a storage extension; without one it keeps nothing for it.
//
// All that is offered is safe for concurrent use, and costs the pipeline no more than a copy: no lock of a component is held
// while a page is made of it.
package livedata

import (
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// Registry is the extension. What is offered to it is used until it is withdrawn.
type Registry interface {
	component.Component
	// OfferTasks is called by a component that holds open tasks.
	OfferTasks(id component.ID, tasks Tasks) (withdraw func())
	// OfferRoutes is called by a component that decides on events.
	OfferRoutes(id component.ID, routes Routes) (withdraw func())
	// Keep bounds what a component keeps of tasks that it has emitted.
	Keep() Keep
}

// Keep bounds what is kept of emitted tasks: as many tasks, of as many bytes, about.
type Keep struct {
	Tasks int
	Bytes int64
}

// Find returns the registry among a host's extensions; nil if there is none. Of several the one with the first name counts.
func Find(host component.Host) Registry {
	var (
		found Registry
		first component.ID
	)
	for id, extension := range host.GetExtensions() {
		if r, ok := extension.(Registry); ok && (found == nil || id.String() < first.String()) {
			found, first = r, id
		}
	}
	return found
}

// Tasks are the tasks that a component holds.
type Tasks interface {
	// Open are the open tasks that mention a text; "" is in all.
	Open(text string, now time.Time) []assembly.OpenTask
	// Finished are the emitted runs that are kept and mention a text, the latest first.
	Finished(text string) []Finished
	// Runs are the runs of a task that are kept or open, in the order in which they began. They are not to be changed.
	Runs(key assembly.TraceID) []Run
	// Statistics are those of the runs, attempts and failures that were emitted lately.
	Statistics(now time.Time) Statistics
}

// Run is a run of a task, with its task's span first.
type Run struct {
	Tree *assembly.Tree
	// Open tells that the run goes on; then Settled has the spans that are final, if what is settled is emitted at once, and
	// Together tells that nothing is final before the task has ended.
	Open     bool
	Together bool
	Settled  map[assembly.SpanID]bool
	// Arrived is how many events are held of the open runs, and Repeated how many of them are repetitions.
	Arrived, Repeated int
	// Missing is what is known not to have come of what has ended in the last of the open runs.
	Missing []assembly.Missing
	// Late is what came of the task when it was too late; nil if nothing did, or it is not known any more.
	Late *Late
}

// Late are events of a task of which nothing was made, because what they belong to had been emitted when they came.
type Late struct {
	Count  int
	Names  []LateName  // the most frequent first
	Latest []LateEvent // the last few, the latest last
}

// LateName is how many late events had a name.
type LateName struct {
	Event string
	Count int
}

// LateEvent is when an event happened, on the sender's clock, and when it came, on the collector's, in Unix nanoseconds.
type LateEvent struct {
	Event    string
	At, Came int64
}

// Finished is a summary of an emitted run.
type Finished struct {
	Key           assembly.TraceID
	Run           int
	ID            assembly.ID
	Name          string
	Resource      *assembly.Resource
	CorrelationID string
	Status        lifecycle.Status // empty if the run has not ended
	Incomplete    bool
	// Started and Ended are on the sender's clock, Emitted on the collector's. All are Unix nanoseconds.
	Started, Ended, Emitted int64
	Steps, Attempts         int
	// Of the task or, if it succeeded, of its last failed attempt.
	FailedStep, ErrorType, Error string
}

// Minutes is how far back statistics go.
const Minutes = 60

// Series are counts by minute, the current one last.
type Series [Minutes]int64

// Last returns the sum of the last minutes.
func (s *Series) Last(minutes int) int64 {
	sum := int64(0)
	for _, n := range s[Minutes-min(minutes, Minutes):] {
		sum += n
	}
	return sum
}

// Add adds another series to this one.
func (s *Series) Add(other *Series) {
	for i, n := range other {
		s[i] += n
	}
}

// Statistics are what was emitted lately, on the collector's clock.
type Statistics struct {
	Workflows []Workflow
	Failures  []Failure
	// Left is how many workflows, steps and failures were left out because there were too many.
	Left int
}

// Workflow are the tasks of one name.
type Workflow struct {
	Name string
	// Finished are runs that ended, Failed those of them that failed, and FailedAttempts attempts that did.
	Finished, Failed, FailedAttempts Series
	Durations                        []time.Duration // of runs that ended, the latest
	Steps                            []Step
	// Of the runs that ended: their durations, and which parts of them on the critical path were not steps.
	Total, Queue, Backoff, Orchestration time.Duration
	Latest                               assembly.TraceID
}

// Step is a step of a workflow. Steps that differ in a number only, as those of a mapped step do, are one.
type Step struct {
	Name         string
	Dependencies []string
	Executions   Series
	Failures     Series
	Durations    []time.Duration // of attempts, the latest
	Critical     time.Duration   // on the critical path of runs that ended
}

// Failure are the failed attempts of one step with one class of error.
type Failure struct {
	Workflow, Step, ErrorType string
	Message                   string // the latest
	Attempts                  Series
	First, Last               time.Time
	Task                      assembly.TraceID // that failed last
}

// Routes are a component's decisions on events.
type Routes interface {
	// Table is the map in force.
	Table() *routing.Table
	// Counts is what became of the events that came.
	Counts() []EventCount
}

// EventCount is how many events of a name had an outcome: the signals that they were kept for, or why they were dropped.
type EventCount struct {
	Event   string
	Outcome string
	Dropped bool
	Count   int64
}
