// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// minNumber is the minimum number of digits in the suffix of a numbered batch worker: Tasker writes import_001.
const minNumber = 3

// StepTemplate returns a step's name without the number of a batch worker, since the workers of a batch are instances of
// one step.
func StepTemplate(step string) string {
	end := len(step)
	for end > 0 && step[end-1] >= '0' && step[end-1] <= '9' {
		end--
	}
	if len(step)-end < minNumber || end < 2 || step[end-1] != '_' {
		return step
	}
	return step[:end-1]
}
