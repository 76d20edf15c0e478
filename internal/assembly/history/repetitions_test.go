// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// A record is a repetition if it is the same as the latest one of its identity.
func TestRepetitionsAreDropped(t *testing.T) {
	var repeated repetitions
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOf(rapid.Custom(func(t *rapid.T) event.Record {
			return event.Record{
				Identity: rapid.Uint32Range(0, 9).Draw(t, "identity"), Kind: event.Kind(rapid.Uint8Range(0, 1).Draw(t, "kind")),
				At: rapid.Int64().Draw(t, "at"),
			}
		})).Draw(t, "records")
		latest, want := map[uint32]event.Record{}, []event.Record{}
		for _, r := range records {
			if before, known := latest[r.Identity]; known && before.Same(&r) {
				continue
			}
			latest[r.Identity] = r
			want = append(want, r)
		}
		require.Equal(t, want, append([]event.Record{}, repeated.drop(slices.Clone(records))...))
	})
}
