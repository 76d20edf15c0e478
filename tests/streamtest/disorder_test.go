// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func sorted(lines [][]byte) [][]byte {
	out := slices.Clone(lines)
	slices.SortFunc(out, slices.Compare)
	return out
}

func TestDisorder(t *testing.T) {
	lines, _ := Generate(Options{Tasks: 5, Seed: 2})
	for _, window := range []int{1, 50, len(lines)} {
		shuffled := Shuffle(lines, window, 7)
		assert.NotEqual(t, lines, shuffled)
		assert.Equal(t, sorted(lines), sorted(shuffled))
		assert.Equal(t, shuffled, Shuffle(lines, window, 7))
	}

	repeated := Duplicate(lines, 10, 7)
	assert.Greater(t, len(repeated), len(lines))
	assert.Equal(t, sorted(lines), slices.CompactFunc(sorted(repeated), slices.Equal))

	batches := Batches(lines, 30)
	assert.Equal(t, lines, slices.Concat(batches...))
	resent := Resend(batches, 5)
	assert.Len(t, resent, len(batches)+len(batches)/5)

	half := len(lines) / 2
	mixed := Interleave(7, lines[:half], lines[half:])
	assert.Equal(t, sorted(lines), sorted(mixed))
}
