// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// InsidePass reports whether an event of the name happens only in an orchestration pass, or begins one. The first of them is when a
// task's first pass began, up to which an event can name the task's caller.
func InsidePass(event string) bool {
	switch event {
	case WorkflowTaskStarted, WorkflowViableStepsDiscovered, WorkflowNoViableSteps, WorkflowStepsExecutionStarted,
		WorkflowStepsExecutionCompleted, StepExecutionRequested, StepBeforeHandle, StepCompleted, StepFailed,
		WorkflowTaskFinalizationStarted, WorkflowTaskFinalizationCompleted:
		return true
	}
	return false
}
