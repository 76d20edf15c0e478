// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func expectations(t *testing.T, text string) (*Expectations, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expectations.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return ReadExpectations(path)
}

// mismatchesOf simulates a stream with known truth under expectations.
func mismatchesOf(t *testing.T, lines [][]byte, text string) []string {
	t.Helper()
	expected, err := expectations(t, text)
	require.NoError(t, err)
	source := eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	result, err := Run(t.Context(), source, Settings{Config: DefaultConfig(), Directory: t.TempDir(), Log: zap.NewNop(), Expect: expected})
	require.NoError(t, err)
	all := []string{}
	for _, m := range result.Mismatches {
		all = append(all, fmt.Sprintf("%s %s: %s, not %s", m.Place, m.Where, m.Found, m.Expected))
	}
	return all
}

func TestExpectations(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 51, Failures: true})
	failed := 0
	for i := range truth {
		if truth[i].Status == streamtest.OutcomeError {
			failed++
		}
	}
	require.NotZero(t, failed)
	require.Empty(t, mismatchesOf(t, lines, fmt.Sprintf(`
events: {accepted: %[1]d, refused: 0}
spans:
  - {where: {name: tasker.task.execution}, count: %[2]d}
  - {where: {name: "tasker.task.exec*", status: failure, incomplete: "false"}, count: %[3]d}
  - {where: {name: "*"}, count: {min: 1}}
  - {where: {incomplete: "true"}, count: 0}
metrics:
  - {where: {name: tasker.task.executions}, value: %[2]d}
  - {where: {name: tasker.task.executions, status: failure}, value: {min: %[3]d, max: %[3]d}}
  - {where: {name: no.such.metric, no_such_label: a}, count: 0}
  - {where: {name: "*"}, count: {min: 1}}
losses:
  - {where: {metric: processor_event_router_dropped, reason: duplicate}, value: 0}
records:
  - {where: {event: task.started}, count: %[2]d}
  - {where: {event: task.failed}, count: %[3]d}
nothing_else: [spans, metrics]
`, len(lines), len(truth), failed)))

	require.Equal(t, []string{
		fmt.Sprintf("events.accepted : %d, not 1", len(lines)),
		fmt.Sprintf("spans[0].count name=tasker.task.execution: %d, not 1000", len(truth)),
		"spans[1].where nam: no such column, but name, not a column of the table",
		"records[0].count event=step.skipped: 0, not at least 3",
		fmt.Sprintf("metrics[0].value name=tasker.task.executions: %d, not 2 to 3", len(truth)),
		"losses[0].value metric=processor_event_router_dropped: 0, not at least 1",
	}, mismatchesOf(t, lines, `
events: {accepted: 1}
spans:
  - {where: {name: tasker.task.execution}, count: 1000}
  - {where: {nam: tasker.task.execution}, count: 0}
records:
  - {where: {event: step.skipped}, count: {min: 3}}
metrics:
  - {where: {name: tasker.task.executions}, value: {min: 2, max: 3}}
losses:
  - {where: {metric: processor_event_router_dropped, reason: "", signal: ""}, value: {min: 1}}
`))
	all := mismatchesOf(t, lines, "nothing_else: [spans, records]")
	require.Len(t, all, 2)
	require.Contains(t, all[0], "nothing_else spans: ")
	require.Contains(t, all[1], "nothing_else records: ")
	require.Contains(t, all[0], ", the first: ")
}

func TestExpectationsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "nothing is expected",
		"spans: [{count: x}]":                      `line 1: "x" is not a number`,
		"spans: [{count: {least: 3}}]":             `"least" is not a bound`,
		"spans: [{count: {min: 3, max: 2}}]":       "these bounds include no number",
		"spans: [{count: {}}]":                     "these bounds include no number",
		"spans: [{where: {name: a}}]":              "spans[0]: expects nothing; add count or value",
		"spans: [~]":                               "spans[0]: expects nothing",
		"records: [{value: 3}]":                    "records[0]::value: is not possible, because only metrics and losses have values",
		"spans: [{where: {name: 'a?'}, count: 3}]": `spans[0]::where::name: "a?" has a wildcard that is not known`,
		"nothing_else: [span]":                     `nothing_else[0]: "span" is not a section`,
		"span: [{count: 3}]":                       "field span not found",
		"spans: [{where: {name: a}, count: 3, least: 4}]": "field least not found",
	} {
		_, err := expectations(t, text)
		require.ErrorContains(t, err, want, text)
	}
	_, err := ReadExpectations(filepath.Join(t.TempDir(), "gone"))
	require.ErrorContains(t, err, "cannot read the expectations")
}
