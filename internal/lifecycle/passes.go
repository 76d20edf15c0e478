// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// InsidePass reports whether events of that name occur only within an orchestration pass or begin one. A task's caller is
// taken from events before the first such event.
func InsidePass(event string) bool {
	switch event {
	case WorkflowTaskStarted, WorkflowViableStepsDiscovered, WorkflowNoViableSteps, WorkflowStepsExecutionStarted,
		WorkflowStepsExecutionCompleted, StepExecutionRequested, StepBeforeHandle, StepCompleted, StepFailed,
		WorkflowTaskFinalizationStarted, WorkflowTaskFinalizationCompleted:
		return true
	}
	return false
}
