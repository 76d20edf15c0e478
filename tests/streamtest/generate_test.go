// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type anyItem struct {
	Event         string         `json:"event"`
	OccurredAt    string         `json:"occurred_at"`
	Service       string         `json:"service"`
	CorrelationID string         `json:"correlation_id"`
	Payload       map[string]any `json:"payload"`
}

func parseAll(t *testing.T, lines [][]byte) []anyItem {
	t.Helper()
	items := make([]anyItem, len(lines))
	for i, line := range lines {
		require.NoError(t, json.Unmarshal(line, &items[i]), "%s", line)
	}
	return items
}

// shapes returns, by event name, the occurring sets of payload keys with their types.
func shapes(items []anyItem) map[string][]string {
	found := map[string]map[string]bool{}
	for _, item := range items {
		var fields []string
		for key, value := range item.Payload {
			kind := "null"
			switch value.(type) {
			case string:
				kind = "text"
			case float64:
				kind = "number"
			case bool:
				kind = "bool"
			case []any:
				kind = "list"
			case map[string]any:
				kind = "object"
			}
			fields = append(fields, key+":"+kind)
		}
		slices.Sort(fields)
		if found[item.Event] == nil {
			found[item.Event] = map[string]bool{}
		}
		found[item.Event][strings.Join(fields, " ")] = true
	}
	out := map[string][]string{}
	for name, sets := range found {
		out[name] = slices.Sorted(maps.Keys(sets))
	}
	return out
}

// TestShape compares a generated stream with one of the reference model: the payloads of each event, and the sequences of
// event names of tasks without failures.
func TestShape(t *testing.T) {
	for _, test := range []struct {
		reference string
		options   Options
	}{
		{Mixed, Options{Tasks: 400, Seed: 3, Failures: true}},
		{Planned, Options{Tasks: 400, Seed: 4, Failures: true, Planned: true}},
	} {
		t.Run(test.reference, func(t *testing.T) {
			want, wantTruth, err := Load(test.reference)
			require.NoError(t, err)
			got, truth := Generate(test.options)
			shape := shapes(parseAll(t, got))
			for name, sets := range shapes(parseAll(t, want)) {
				assert.Subset(t, shape[name], sets, name)
			}
			assert.Equal(t, simpleSequences(t, want, wantTruth), simpleSequences(t, got, truth))
		})
	}
}

// simpleSequences returns, by workflow, the event names of tasks that completed in one pass, without random parts: queries
// are omitted, and concurrent steps are listed one after the other.
func simpleSequences(t *testing.T, lines [][]byte, truth []Task) map[string][]string {
	t.Helper()
	names := map[int64]map[int64][]string{} // by task and step (0 is the task itself)
	for _, item := range parseAll(t, lines) {
		if item.Event == "database.query_executed" {
			continue
		}
		task := int64(item.Payload["task_id"].(float64))
		step, _ := item.Payload["step_id"].(float64)
		if names[task] == nil {
			names[task] = map[int64][]string{}
		}
		names[task][int64(step)] = append(names[task][int64(step)], item.Event)
	}
	out := map[string][]string{}
	for _, task := range truth {
		if len(task.Orchestrations) != 1 || task.Status != OutcomeOK {
			continue
		}
		var sequence []string
		for _, step := range slices.Sorted(maps.Keys(names[task.TaskID])) {
			sequence = append(sequence, names[task.TaskID][step]...)
		}
		if known, ok := out[task.TaskName]; ok {
			assert.Equal(t, known, sequence, "task %d", task.TaskID)
		}
		out[task.TaskName] = sequence
	}
	return out
}

func TestGenerateIsDeterministic(t *testing.T) {
	o := Options{Tasks: 20, Seed: 9, Failures: true, Planned: true}
	lines, truth := Generate(o)
	again, truthAgain := Generate(o)
	assert.Equal(t, lines, again)
	assert.Equal(t, truth, truthAgain)
	o.Seed++
	other, _ := Generate(o)
	assert.NotEqual(t, lines, other)
}

func TestGenerateOptions(t *testing.T) {
	lines, truth := Generate(Options{Tasks: 3, Service: "billing", Template: "user_registration", FirstID: 70, SpacingMS: 1})
	require.Len(t, truth, 3)
	for i, task := range truth {
		assert.Equal(t, int64(70+i), task.TaskID)
		assert.Equal(t, "user_registration", task.TaskName)
		assert.Equal(t, OutcomeOK, task.Status)
		assert.Len(t, task.Attempts(), 5)
	}
	last := ""
	for _, item := range parseAll(t, lines) {
		assert.Equal(t, "billing", item.Service)
		assert.GreaterOrEqual(t, item.OccurredAt, last)
		last = item.OccurredAt
	}
}

// TestTruth checks that the truth of a generated stream covers the model's behavior.
func TestTruth(t *testing.T) {
	lines, truth := Generate(Options{Tasks: 500, Seed: 1, Failures: true, Planned: true})
	var failed, repeated, backoffs, queries int
	for _, task := range truth {
		if task.Status == OutcomeError {
			failed++
		}
		if len(task.Orchestrations) > 1 {
			repeated++
		}
		assert.Len(t, task.QueueWaits, len(task.Orchestrations))
		backoffs += len(task.Backoffs)
		queries += task.Queries
	}
	assert.Positive(t, failed)
	assert.Positive(t, repeated)
	assert.Positive(t, backoffs)
	count, err := CountEvents(lines)
	require.NoError(t, err)
	assert.Equal(t, count["database.query_executed"], queries)
}

func TestLoad(t *testing.T) {
	for name, want := range map[string]struct{ tasks, lines int }{OrderProcessing: {1, 72}, Mixed: {40, 3545}, Planned: {10, 1000}} {
		lines, truth, err := Load(name)
		require.NoError(t, err)
		assert.Len(t, truth, want.tasks, name)
		assert.Len(t, lines, want.lines, name)
	}
	for name, want := range map[string]struct{ tasks, lines, attempts int }{RealLinear: {30, 2160, 150}, RealRetry: {15, 1531, 92}} {
		lines, truth, err := LoadReal(name)
		require.NoError(t, err)
		assert.Len(t, truth, want.tasks, name)
		assert.Len(t, lines, want.lines, name)
		attempts := 0
		for _, task := range truth {
			attempts += len(task.Attempts)
		}
		assert.Equal(t, want.attempts, attempts, name)
	}
	_, _, err := Load("nothing")
	assert.ErrorContains(t, err, `stream "nothing"`)
}
