// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package nearest finds the name that a misspelt one is most like.
//
// It has no state.
package nearest

// MaxTypos is how far apart two names may be that are taken for each other.
const MaxTypos = 2

// Of returns the first of the names that the fewest insertions, removals and replacements lead to, and how many.
func Of(name string, names []string) (nearest string, distance int) {
	for i, candidate := range names {
		if d := editDistance(name, candidate); i == 0 || d < distance {
			nearest, distance = candidate, d
		}
	}
	return nearest, distance
}

// editDistance is Levenshtein's, row by row.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
