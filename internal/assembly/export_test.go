// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
)

// NextDue is when Advance next has a task to check; false when no task is open.
func (a *Assembler) NextDue() (time.Time, bool) {
	if len(a.tasks) == 0 {
		return time.Time{}, false
	}
	at := int64(math.MaxInt64)
	for _, t := range a.tasks {
		at = min(at, t.deadline.Due())
	}
	return time.Unix(0, deadlines.Tick(at)*deadlines.TickLength), true
}

// ForgetEagerly makes the assembler forget at each check whatever it may.
func (a *Assembler) ForgetEagerly() { a.eager = true }
