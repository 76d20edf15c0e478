// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package printable

import "unicode/utf8"

// Cut returns the text if it has at most limit bytes, and otherwise its beginning, without a part of a character.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
