// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package configerr

// MaxTypos is the edit distance up to which a name is considered misspelled.
const MaxTypos = 2

// Nearest returns the first of the names with the least edit distance, and that distance, to suggest a correction.
func Nearest(name string, names []string) (nearest string, distance int) {
	for i, candidate := range names {
		if d := editDistance(name, candidate); i == 0 || d < distance {
			nearest, distance = candidate, d
		}
	}
	return nearest, distance
}

// editDistance is the Levenshtein distance, computed row by row.
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
