// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "time"

// NextDue is when Advance next has a task to check; false when no task is open.
func (a *Assembler) NextDue() (time.Time, bool) {
	first := a.line.first
	if first == nil {
		return time.Time{}, false
	}
	at := first.due
	for t := first; t != nil; t = t.after {
		at = min(at, t.due)
	}
	return time.Unix(0, tickOf(at)*wheelTick), true
}

// ForgetEagerly makes the assembler forget at each check whatever it may.
func (a *Assembler) ForgetEagerly() { a.eager = true }
