// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// await polls until ok returns true, and fails the test after the timeout, reporting state.
func await(t testing.TB, timeout time.Duration, what string, ok func() bool, state func() any) {
	t.Helper()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("no %s in %v; now: %v", what, timeout, state())
		}
	}
}

// awaitEqual polls until there are no differences, and fails the test after two minutes, reporting the first ones.
func awaitEqual(t testing.TB, what string, differences func() []string) {
	t.Helper()
	var found []string
	await(t, 2*time.Minute, what, func() bool {
		found = differences()
		return len(found) == 0
	}, func() any {
		return fmt.Sprintf("%d differences:\n%s", len(found), strings.Join(found[:min(40, len(found))], "\n"))
	})
}
