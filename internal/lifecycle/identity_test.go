// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test vectors of docs/identity.md, which other implementations must reproduce.
func TestIdentityVectors(t *testing.T) {
	for _, vector := range []struct{ namespace, service, task, trace, span string }{
		{"", "shop", "1", "2d32bdfecd0b620b11e3cce7926ec9db", "5d77c73a2109492a"},
		{"retail", "shop", "42", "fc11ad5494dbec465cf7ee0c93bcc5f4", "8c1533cb7226dd5d"},
		{"", "shop", "0198c5a1-6f2e-7c3a-9d4b-1f2e3d4c5b6a", "c9069c98d237d4c08ae64fd52acd2108", "8aa15962c85c3e3b"},
	} {
		trace := TraceID(vector.namespace, vector.service, vector.task)
		require.Equal(t, vector.trace, trace.String())
		require.Equal(t, vector.span, SpanID(trace, SpanTask, "", 0).String())
	}
}

func TestIdentityIsWhatItsCommentSays(t *testing.T) {
	trace := TraceID("", "shop", "1")
	sum := sha256.Sum256([]byte("tasker/1\x00trace\x00\x00shop\x001\x00"))
	require.Equal(t, hex.EncodeToString(sum[:16]), trace.String())

	text := append([]byte("tasker/1\x00span\x00"), trace[:]...)
	text = append(text, "tasker.task.execution\x00\x00"...)
	text = binary.BigEndian.AppendUint64(text, 0)
	sum = sha256.Sum256(text)
	require.Equal(t, hex.EncodeToString(sum[:8]), SpanID(trace, SpanTask, "", 0).String())
}

// Fields are delimited: moving a character from one field to the next gives another ID.
func TestIdentityKeepsFieldsApart(t *testing.T) {
	require.NotEqual(t, TraceID("a", "bc", "1"), TraceID("ab", "c", "1"))
	require.NotEqual(t, TraceID("", "shop1", "1"), TraceID("", "shop", "11"))
	trace := TraceID("", "shop", "1")
	require.NotEqual(t, SpanID(trace, SpanStep, "1", 23), SpanID(trace, SpanStep, "12", 3))
	require.NotEqual(t, SpanID(trace, SpanStep, "1", 2), SpanID(trace, SpanHandler, "1", 2))
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"step.completed": "step.completed", "tasker.step.completed": "step.completed",
		"tasker.telemetry.cache_synced": "tasker.telemetry.cache_synced", "order.fulfilled": "order.fulfilled",
	} {
		require.Equal(t, want, Canonical(name))
	}
}

func TestSignalsSurviveTheirTextForm(t *testing.T) {
	for s := range SignalsAll + 1 {
		require.Equal(t, s, ParseSignals(s.String()))
	}
	require.Equal(t, SignalTraces|SignalLogs, ParseSignals("logs, traces, profiles"))
}

func TestDefaultRoutesNameKnownEventsOnce(t *testing.T) {
	known := map[string]bool{}
	for _, name := range Names() {
		require.False(t, known[name], name)
		known[name] = true
	}
	routed := map[string]bool{}
	for _, route := range DefaultRoutes() {
		require.True(t, known[route.Event], route.Event)
		require.False(t, routed[route.Event], route.Event)
		routed[route.Event] = true
	}
}
