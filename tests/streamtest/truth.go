// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/engine"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

//go:embed testdata
var testdata embed.FS

// Names of the streams for [Load].
const (
	OrderProcessing = "order_processing" // one task of five steps in a row, no failure
	Mixed           = "mixed"            // 40 tasks of three workflows, with temporary and permanent failures
	Planned         = "planned"          // 10 tasks, with events that Tasker plans but does not fire yet
	RealLinear      = "linear5"          // captured: 30 tasks of five steps in a row
	RealRetry       = "retry"            // captured: 15 tasks with steps that fail once or twice
)

// The simulated engine is in internal/cli/engine because `taskerotel demo` uses it too.
type (
	// Interval is a time from Start to End, in Unix nanoseconds.
	Interval = engine.Interval
	// Task is the exact truth of a simulated task.
	Task = engine.Task
	// Orchestration is a pass.
	Orchestration = engine.Orchestration
	// Batch is a set of attempts executed together in a pass.
	Batch = engine.Batch
	// Attempt is an execution of a step.
	Attempt = engine.Attempt
	// Backoff is the wait from an announced backoff to the next attempt of its step.
	Backoff = engine.Backoff
	// Options of Generate.
	Options = engine.Options
	// Scenario is the stream of a task with an unusual history.
	Scenario = engine.Scenario
)

// Outcomes of tasks and attempts in both truths.
const (
	OutcomeOK    = engine.OutcomeOK
	OutcomeError = engine.OutcomeError
)

// Generate returns a simulated stream and the truth of each task.
func Generate(o Options) (lines [][]byte, truth []Task) { return engine.Generate(o) }

// Scenarios returns streams of single tasks with an unusual history.
func Scenarios() []Scenario { return engine.Scenarios() }

// RealTask is the measurement of a task around the real engine's calls.
type RealTask struct {
	Service  string        `json:"service"`
	TaskID   int64         `json:"task_id"`
	TaskName string        `json:"task_name"`
	Status   string        `json:"status"` // empty if left pending
	Passes   []Interval    `json:"passes"`
	Batches  []RealBatch   `json:"batches"`
	Attempts []RealAttempt `json:"attempts"`
}

// RealBatch is a batch with the steps that the engine listed for it.
type RealBatch struct {
	Interval
	StepIDs []int64 `json:"step_ids"`
}

// RealAttempt is an attempt; WorkStart to WorkEnd was measured inside the handler.
type RealAttempt struct {
	Interval
	StepID    int64  `json:"step_id"`
	StepName  string `json:"step_name"`
	Attempt   int    `json:"attempt"`
	WorkStart int64  `json:"work_start"`
	WorkEnd   int64  `json:"work_end"`
	Status    string `json:"status"`
	Error     string `json:"error"`
}

// Load reads a simulated stream and its truth.
func Load(name string) (lines [][]byte, truth []Task, err error) {
	if lines, err = load(name, &truth); err != nil {
		return nil, nil, err
	}
	return lines, truth, countQueries(lines, truth)
}

// LoadReal reads a captured stream and its measurements.
func LoadReal(name string) (lines [][]byte, truth []RealTask, err error) {
	lines, err = load(path.Join("real", name), &truth)
	return lines, truth, err
}

func load(name string, truth any) ([][]byte, error) {
	stream, err := testdata.ReadFile(path.Join("testdata", name+".ndjson"))
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", name, err)
	}
	text, err := testdata.ReadFile(path.Join("testdata", name+".truth.json"))
	if err != nil {
		return nil, fmt.Errorf("truth of %q: %w", name, err)
	}
	if err := json.Unmarshal(text, truth); err != nil {
		return nil, fmt.Errorf("truth of %q: %w", name, err)
	}
	return bytes.Split(bytes.TrimSpace(stream), []byte("\n")), nil
}

func countQueries(lines [][]byte, truth []Task) error {
	count := map[int64]int{}
	for _, line := range lines {
		item, err := Parse(line)
		if err != nil {
			return err
		}
		if item.Event == lifecycle.DatabaseQueryExecuted {
			count[item.Payload.TaskID]++
		}
	}
	for i := range truth {
		truth[i].Queries = count[truth[i].TaskID]
	}
	return nil
}

// Item is the part of a line that tests use.
type Item struct {
	Event      string `json:"event"`
	OccurredAt string `json:"occurred_at"`
	Service    string `json:"service"`
	Payload    struct {
		TaskID int64 `json:"task_id"`
	} `json:"payload"`
}

// Parse parses a line.
func Parse(line []byte) (Item, error) {
	var item Item
	if err := json.Unmarshal(line, &item); err != nil {
		return Item{}, fmt.Errorf("line %.80q: %w", line, err)
	}
	return item, nil
}

// CountEvents returns the number of lines by event name.
func CountEvents(lines [][]byte) (map[string]int, error) {
	count := map[string]int{}
	for _, line := range lines {
		item, err := Parse(line)
		if err != nil {
			return nil, err
		}
		count[item.Event]++
	}
	return count, nil
}
