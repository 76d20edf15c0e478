// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

// Interval is the time from Start to End, in Unix nanoseconds.
type Interval struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// Seconds returns the length of the interval.
func (i Interval) Seconds() float64 { return float64(i.End-i.Start) / 1e9 }

// Outcomes of tasks and attempts in the truth.
const (
	OutcomeOK    = "ok"
	OutcomeError = "error"
)

// Task is the exact truth of a simulated task.
type Task struct {
	Interval
	Service        string          `json:"service"`
	TaskID         int64           `json:"task_id"`
	TaskName       string          `json:"task_name"`
	Status         string          `json:"status"`
	Orchestrations []Orchestration `json:"orchestrations"`
	// QueueWaits has one wait per pass.
	QueueWaits []Interval `json:"queue_waits"`
	Backoffs   []Backoff  `json:"backoffs"`
	// Queries is the number of the task's database events, counted from the lines; not in the file.
	Queries int `json:"-"`
}

// Orchestration is a pass.
type Orchestration struct {
	Interval
	CorrelationID string  `json:"correlation_id"`
	Batches       []Batch `json:"batches"`
}

// Batch is a set of attempts executed together in a pass.
type Batch struct {
	Interval
	Steps []Attempt `json:"steps"`
}

// Attempt is an execution of a step. Its interval is the engine's, which includes the handler's.
type Attempt struct {
	Interval
	StepID       int64  `json:"step_id"`
	StepName     string `json:"step_name"`
	Attempt      int    `json:"attempt"`
	HandlerStart int64  `json:"handler_start"`
	HandlerEnd   int64  `json:"handler_end"`
	Status       string `json:"status"`
	Error        string `json:"error,omitempty"`
}

// Backoff is the wait from an announced backoff to the next attempt of its step.
type Backoff struct {
	Interval
	StepID int64 `json:"step_id"`
}

// Attempts returns the attempts of all passes in order.
func (t *Task) Attempts() []Attempt {
	var all []Attempt
	for _, o := range t.Orchestrations {
		for _, b := range o.Batches {
			all = append(all, b.Steps...)
		}
	}
	return all
}
