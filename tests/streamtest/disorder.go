// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"math/rand/v2"
	"slices"
)

// The functions here return new slices of the same lines; equal seeds give equal results.

// Shuffle moves lines by at most about window places. A window of at least len(lines) is a full shuffle.
func Shuffle(lines [][]byte, window int, seed uint64) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := slices.Clone(lines)
	if window >= len(lines) {
		rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	}
	for i := range out {
		j := min(len(out)-1, i+rng.IntN(window+1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// Duplicate repeats one line in n, on average, somewhere after its first place.
func Duplicate(lines [][]byte, n int, seed uint64) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 3))
	var again [][]byte
	out := make([][]byte, 0, len(lines)+len(lines)/n)
	for _, line := range lines {
		out = append(out, line)
		if rng.IntN(n) == 0 {
			again = append(again, line)
		}
		if len(again) > 0 && rng.IntN(4) == 0 {
			out, again = append(out, again[0]), again[1:]
		}
	}
	return append(out, again...)
}

// Batches splits the lines into batches of n, with a shorter last one.
func Batches(lines [][]byte, n int) [][][]byte {
	return slices.Collect(slices.Chunk(lines, n))
}

// Resend repeats every nth batch some batches later, as a sender does after a timeout.
func Resend(batches [][][]byte, n int) [][][]byte {
	const later = 3
	var out, due [][][]byte
	for i, batch := range batches {
		out = append(out, batch)
		if i%n == n-1 {
			due = append(due, batch)
		}
		if i%n == (n-1+later)%n && len(due) > 0 {
			out, due = append(out, due[0]), due[1:]
		}
	}
	return append(out, due...)
}

// Interleave merges streams at random; each keeps its order.
func Interleave(seed uint64, streams ...[][]byte) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 4))
	var out [][]byte
	rest := slices.Clone(streams)
	for {
		rest = slices.DeleteFunc(rest, func(s [][]byte) bool { return len(s) == 0 })
		if len(rest) == 0 {
			return out
		}
		i := rng.IntN(len(rest))
		out, rest[i] = append(out, rest[i][0]), rest[i][1:]
	}
}
