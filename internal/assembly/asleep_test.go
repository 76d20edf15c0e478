// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
)

// A task without events for the settle timeout takes little memory, and continues as if it had been held in full.
func TestATaskThatWaitsTakesLittleMemory(t *testing.T) {
	events := readStream(t, "order_processing")
	half := len(events) / 2
	now := time.Unix(1, 0)
	want := spansByTrace(t, func(a *assembly.Assembler) { feed(a, events, now) })
	got := spansWithin(t, inParts(patient()), func(a *assembly.Assembler) {
		feed(a, events[:half], now)
		awake := a.Stats().HeldBytes
		now = now.Add(limits().SettleTimeout)
		for range 3 {
			a.Advance(now)
		}
		asleep := a.Stats().HeldBytes
		require.Less(t, asleep, int64(1200))
		require.Less(t, asleep, awake)
		feed(a, events[half:], now)
		require.Greater(t, a.Stats().HeldBytes, asleep)
	})
	require.Equal(t, want, got)
}
