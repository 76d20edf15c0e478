// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package namecache_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
)

// A front returns the values of its cache, also for names with the same slot, the empty name and long names.
func TestFrontSaysWhatItsCacheSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		front := namecache.New(20, strings.ToUpper).Front()
		name := rapid.OneOf(rapid.StringMatching(`[a-z]{0,2}`), rapid.Just(strings.Repeat("long", 30)))
		for range rapid.IntRange(1, 500).Draw(t, "questions") {
			asked := name.Draw(t, "name")
			require.Equal(t, strings.ToUpper(asked), front.Get(asked))
		}
	})
}

func TestFrontAsksOnce(t *testing.T) {
	calls := 0
	front := namecache.New(0, func(name string) int { calls++; return len(name) }).Front()
	for range 3 {
		require.Equal(t, 4, front.Get("name"))
	}
	require.Equal(t, 1, calls, "the cache holds no names and was called once")
}
