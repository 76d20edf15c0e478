// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Spans emitted with something missing are counted by what was missing.
func TestGivenUpGapsAreCountedByKind(t *testing.T) {
	for _, test := range []struct {
		lost  string
		times int // how many, from the second pass on
		want  history.Gap
	}{
		{lifecycle.ObservabilityTaskEnqueue, 1, history.GapJob},
		{lifecycle.WorkflowTaskStarted, 1, history.GapPassBeginning},
		{lifecycle.WorkflowTaskFinalizationCompleted, 1, history.GapPassEnd},
		{lifecycle.WorkflowViableStepsDiscovered, 1, history.GapDiscovery},
		{lifecycle.WorkflowViableStepsDiscovered, 2, history.GapDiscovery},
		{lifecycle.WorkflowStepsExecutionStarted, 1, history.GapBatchBeginning},
		{lifecycle.WorkflowStepsExecutionCompleted, 1, history.GapBatchEnd},
		{lifecycle.StepBeforeHandle, 1, history.GapAttempt},
		{lifecycle.StepExecutionRequested, 3, history.GapAttempt},
		{lifecycle.StepFailed, 1, history.GapAttempt},
		{"everything of a step", 0, history.GapBatchAttempts},
		{"a whole attempt", 0, history.GapEarlierAttempts},
	} {
		t.Run(test.lost, func(t *testing.T) {
			s := new(story).created()
			for pass := range 5 {
				s.longPass(pass, 2, false) // it is still open
			}
			begun, lost := 0, 0
			a := assembly.New(inParts(patient()), func(*tree.Tree) {})
			for _, e := range s.events {
				if e.Name == lifecycle.ObservabilityTaskEnqueue && e.HasJob {
					begun++
				}
				switch {
				case begun == 2 && e.Name == test.lost && lost < test.times:
					lost++
					continue
				case test.lost == "everything of a step" && begun == 2 && e.StepID.Text == "1" && e.Name != lifecycle.StepInitializeRequested:
					continue
				case test.lost == "a whole attempt" && begun == 2 && e.StepID.Text == "1":
					continue
				}
				now := time.Unix(0, e.At)
				a.Advance(now)
				a.Observe(e, now)
			}
			require.Zero(t, a.Stats().Unsettled, "what is missing is waited for")
			a.Advance(time.Unix(0, int64(s.at)).Add(2*patient().SettleTimeout - time.Second))
			a.Advance(time.Unix(0, int64(s.at)).Add(2 * patient().SettleTimeout))
			require.NotZero(t, a.Stats().Unsettled, "%+v", a.Stats())
			require.Positive(t, a.Stats().Unsettled[test.want], "%v", a.Stats().Unsettled)
		})
	}
	for gap := range history.Gaps {
		require.NotEmpty(t, gap.String())
	}
}
