// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package values

import "strings"

// Texts numbers the texts that many messages share, such as names of events and keys of attributes. A number is never reassigned.
type Texts struct {
	numbers map[string]int64
	list    []string
}

const (
	// mostTexts bounds how many texts have numbers; others are written in full.
	mostTexts = 1 << 12
	// longestText is the length up to which a text gets a number.
	longestText = 64
)

// NewTexts makes a numbering without texts.
func NewTexts() *Texts { return &Texts{numbers: map[string]int64{}} }

// number returns the number of the text; false when it has none.
func (x *Texts) number(text string) (int64, bool) {
	if n, known := x.numbers[text]; known {
		return n, true
	}
	if len(text) > longestText || len(x.list) >= mostTexts {
		return 0, false
	}
	text = strings.Clone(text)
	n := int64(len(x.list))
	x.numbers[text] = n
	x.list = append(x.list, text)
	return n, true
}
