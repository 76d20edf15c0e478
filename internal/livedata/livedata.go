// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package livedata defines what components offer to the extension tasker_pages. A component looks for the extension when it
// starts, as for a storage extension; without one it holds nothing for it.
//
// Everything offered is safe for concurrent use and costs the pipeline at most a copy: no lock of a component is held while
// a page is rendered.
package livedata

import (
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// Registry is implemented by the extension. It uses what is offered until withdraw is called.
type Registry interface {
	component.Component
	// OfferTasks offers a component's open and recent tasks.
	OfferTasks(id component.ID, tasks Tasks) (withdraw func())
	// OfferRoutes offers a component's routing table and counts.
	OfferRoutes(id component.ID, routes Routes) (withdraw func())
	// Keep returns how much of its emitted tasks a component should retain.
	Keep() Keep
}

// Keep bounds the retained emitted tasks by their number and approximate bytes.
type Keep struct {
	Tasks int
	Bytes int64
}

// Find returns the registry among a host's extensions, or nil; of several, the one whose ID sorts first.
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

// Tasks are a component's tasks.
type Tasks interface {
	// Open returns the open tasks that contain a text; all if it is empty.
	Open(text string, now time.Time) []assembly.OpenTask
	// Finished returns the retained emitted runs that contain a text, latest first.
	Finished(text string) []Finished
	// Runs returns the retained and open runs of a task in the order in which they began. They must not be changed.
	Runs(key event.TraceID) []Run
	// Statistics returns statistics of recently emitted runs, attempts and failures.
	Statistics(now time.Time) Statistics
}

// Run is a run of a task. The task's span comes first.
type Run struct {
	Tree *tree.Tree
	// Open means that the run continues. Settled then holds its final spans, if the component emits settled spans early;
	// Together means that no span is final before the task ends.
	Open     bool
	Together bool
	Settled  map[event.SpanID]bool
	// Repeated is the number of duplicates among the held events of open runs.
	Repeated int
	// Missing are the gaps in what has ended in the last open run.
	Missing []history.Missing
	// Late describes events that arrived too late; nil if there are none or they are no longer known.
	Late *Late
}

// Late are events from which no span was made because the span they belong to had been emitted.
type Late struct {
	Count  int
	Names  []LateName  // most frequent first
	Latest []LateEvent // the last few, latest last
}

// LateName counts the late events of a name.
type LateName struct {
	Event string
	Count int
}

// LateEvent has the time of an event on the sender's clock and of its arrival on the collector's, in Unix nanoseconds.
type LateEvent struct {
	Event    string
	At, Came int64
}

// Finished summarizes an emitted run.
type Finished struct {
	Key           event.TraceID
	Run           int
	ID            event.ID
	Name          string
	Resource      *event.Resource
	CorrelationID string
	Status        lifecycle.Status // empty if the run has not ended
	// Started and Ended are on the sender's clock, Emitted on the collector's, all in Unix nanoseconds.
	Started, Ended, Emitted int64
	Steps                   int
	// Of the task or, if it succeeded, of its last failed attempt.
	FailedStep, ErrorType, Error string
}

// Minutes is the time covered by statistics.
const Minutes = 60

// Series are counts per minute, the current one last.
type Series [Minutes]int64

// Last returns the sum of the last minutes.
func (s *Series) Last(minutes int) int64 {
	sum := int64(0)
	for _, n := range s[Minutes-min(minutes, Minutes):] {
		sum += n
	}
	return sum
}

// Add adds another series.
func (s *Series) Add(other *Series) {
	for i, n := range other {
		s[i] += n
	}
}

// Statistics describe recent emissions, by the collector's clock.
type Statistics struct {
	Workflows []Workflow
	Failures  []Failure
	// Left is the number of workflows, steps and failures omitted because there were too many.
	Left int
}

// Workflow are the tasks of a name.
type Workflow struct {
	Name string
	// Finished counts runs that ended, Failed those that failed, and FailedAttempts failed attempts.
	Finished, Failed, FailedAttempts Series
	Durations                        []time.Duration // of the latest runs that ended
	Steps                            []Step
	// Of runs that ended: total duration, and the parts of the critical path that are not steps.
	Total, Queue, Backoff, Orchestration time.Duration
	Latest                               event.TraceID
}

// Step is a step of a workflow. Steps whose names differ only in a number, such as those of a mapped step, are counted as
// one.
type Step struct {
	Name         string
	Dependencies []string
	Executions   Series
	Failures     Series
	Durations    []time.Duration // of the latest attempts
	Critical     time.Duration   // on the critical path of runs that ended
}

// Failure are the failed attempts of a step with the same error class.
type Failure struct {
	Workflow, Step, ErrorType string
	Message                   string // latest
	Attempts                  Series
	First, Last               time.Time
	Task                      event.TraceID // latest
}

// Routes are a component's routing decisions.
type Routes interface {
	// Table returns the effective routes.
	Table() *routing.Table
	// Counts returns the numbers of events by name and outcome.
	Counts() []EventCount
}

// EventCount is the number of events of a name with an outcome: the signals they became, or why they were dropped.
type EventCount struct {
	Event   string
	Outcome string
	Dropped bool
	Count   int64
}
