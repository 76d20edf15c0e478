package streamtest

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

//go:embed testdata
var testdata embed.FS

// Names of the streams that [Load] knows.
const (
	OrderProcessing = "order_processing" // one task of five steps in a row, no failure
	Mixed           = "mixed"            // 40 tasks of three workflows, with failures that pass and failures for good
	Planned         = "planned"          // 10 tasks, with events that Tasker plans but does not fire yet
	RealLinear      = "linear5"          // captured: 30 tasks of five steps in a row
	RealRetry       = "retry"            // captured: 15 tasks with steps that fail once or twice
)

// Interval is a time from Start to End, in Unix nanoseconds.
type Interval struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// Seconds is the length of the interval.
func (i Interval) Seconds() float64 { return float64(i.End-i.Start) / 1e9 }

// Outcomes of tasks and attempts in both truths.
const (
	OutcomeOK    = "ok"
	OutcomeError = "error"
)

// Task is the exact truth of one task of a modelled stream.
type Task struct {
	Interval
	Service        string          `json:"service"`
	TaskID         int64           `json:"task_id"`
	TaskName       string          `json:"task_name"`
	Status         string          `json:"status"`
	Orchestrations []Orchestration `json:"orchestrations"`
	// QueueWaits holds one wait for each pass.
	QueueWaits []Interval `json:"queue_waits"`
	Backoffs   []Backoff  `json:"backoffs"`
	// Queries is the number of the task's database events; counted from the lines, not in the file.
	Queries int `json:"-"`
}

// Orchestration is one pass.
type Orchestration struct {
	Interval
	CorrelationID string  `json:"correlation_id"`
	Batches       []Batch `json:"batches"`
}

// Batch is a set of attempts that a pass ran together.
type Batch struct {
	Interval
	Steps []Attempt `json:"steps"`
}

// Attempt is one execution of a step. Its own interval is that of the engine, around the handler's.
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

// Attempts lists the attempts of all passes in the order of the truth.
func (t *Task) Attempts() []Attempt {
	var all []Attempt
	for _, o := range t.Orchestrations {
		for _, b := range o.Batches {
			all = append(all, b.Steps...)
		}
	}
	return all
}

// RealTask is what was measured around the real engine's calls for one task.
type RealTask struct {
	Service  string        `json:"service"`
	TaskID   int64         `json:"task_id"`
	TaskName string        `json:"task_name"`
	Status   string        `json:"status"` // empty: left pending
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

// Load reads a modelled stream and its truth.
func Load(name string) (lines [][]byte, truth []Task, err error) {
	if lines, err = load(name, &truth); err != nil {
		return nil, nil, err
	}
	return lines, truth, countQueries(lines, truth)
}

// LoadReal reads a captured stream and what was measured beside it.
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

// Item is the part of a line that tests look at.
type Item struct {
	Event      string `json:"event"`
	OccurredAt string `json:"occurred_at"`
	Service    string `json:"service"`
	Payload    struct {
		TaskID int64 `json:"task_id"`
	} `json:"payload"`
}

// Parse reads a line.
func Parse(line []byte) (Item, error) {
	var item Item
	if err := json.Unmarshal(line, &item); err != nil {
		return Item{}, fmt.Errorf("line %.80q: %w", line, err)
	}
	return item, nil
}

// CountEvents says how often each event name occurs in the lines.
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
