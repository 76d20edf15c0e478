// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestARecordingIsMovedToNow(t *testing.T) {
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	p := newPacer(&Settings{Pace: 2, Now: func() time.Time { return now }, Sleep: func(context.Context, time.Duration) error { return nil }})
	moved, wait := p.item("a", []byte(`{"event":"x","occurred_at":"2026-06-01T12:00:00.5Z","payload":{"occurred_at":"2026-06-01T12:00:00.5Z"}}`))
	require.Zero(t, wait)
	require.Equal(t, `{"event":"x","occurred_at":"2026-11-26T08:00:00Z","payload":{"occurred_at":"2026-06-01T12:00:00.5Z"}}`, string(moved))
	moved, wait = p.item("a", []byte(`{"payload":{"occurred_at":1},"occurred_at":"2026-06-01T12:00:03.5Z"}`))
	require.Equal(t, 1500*time.Millisecond, wait)
	require.Equal(t, `{"payload":{"occurred_at":1},"occurred_at":"2026-11-26T08:00:01.5Z"}`, string(moved))
	now = now.Add(10 * time.Second)
	moved, wait = p.item("b", []byte(`{"occurred_at":"2025-01-01T00:00:00Z"}`))
	require.Zero(t, wait, "another file begins when it is read")
	require.Equal(t, `{"occurred_at":"2026-11-26T08:00:10Z"}`, string(moved))
	for _, item := range []string{`{"event":"x"}`, `{"occurred_at":5}`, `{"occurred_at":"yesterday"}`, `[]`, `{`, ``, `{"a":{"occurred_at":"2026-06-01T12:00:00Z"}}`} {
		moved, wait = p.item("b", []byte(item))
		require.Zero(t, wait)
		require.Equal(t, item, string(moved))
	}
}

func FuzzOccurrence(f *testing.F) {
	f.Add([]byte(`{"event":"x","occurred_at":"2026-06-01T12:00:00.5Z"}`))
	f.Add([]byte(` { "occurred_at" : "2026-06-01T12:00:00+02:00" , "x":[{}]}`))
	f.Fuzz(func(t *testing.T, item []byte) {
		at, from, to, found := occurrence(item)
		if !found {
			return
		}
		var text string
		require.NoError(t, json.Unmarshal(item[from:to], &text))
		again, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		require.True(t, again.Equal(at))
	})
}
