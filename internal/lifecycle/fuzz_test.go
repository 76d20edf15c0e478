// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// FuzzTraceparent checks that a parsed context formats to the same IDs.
func FuzzTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-00-more")
	f.Add("00-00000000000000000000000000000000-0000000000000000-01")
	f.Add(strings.Repeat("-", 55))
	f.Fuzz(func(t *testing.T, header string) {
		trace, span, ok := lifecycle.ParseTraceparent(header)
		if !ok {
			return
		}
		require.False(t, trace.IsEmpty() || span.IsEmpty())
		written := lifecycle.Traceparent(trace, span)
		require.Equal(t, strings.ToLower(header[3:52]), written[3:52])
		again, parent, ok := lifecycle.ParseTraceparent(written)
		require.True(t, ok)
		require.Equal(t, trace, again)
		require.Equal(t, span, parent)
	})
}

// FuzzMessage checks that a message made of valid UTF-8 is valid UTF-8 of bounded length.
func FuzzMessage(f *testing.F) {
	f.Add("step.failed", "7", "order", "charge", "no money")
	f.Add("task..", "", "x", "", strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, event, id, task, step, detail string) {
		line := lifecycle.Message(lifecycle.Canonical(event), id, task, step, detail)
		require.LessOrEqual(t, len(line), len(event)+len(id)+len(task)+len(step)+min(len(detail), 256)+32)
		good := true
		for _, text := range []string{event, id, task, step, detail} {
			good = good && utf8.ValidString(text)
		}
		if good {
			require.True(t, utf8.ValidString(line), "%q", line)
		}
		_ = lifecycle.SeverityOf(event)
	})
}
