// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package configerr defines the form of configuration mistakes for all components and the command line:
//
//	KEY: VALUE what is wrong; what to do
//	shedding::low: -1 is negative; use 0 or more
//
// Keys are written as the collector writes them, section::key, with list entries as list[0]. A Validate method joins all
// mistakes with errors.Join, and the collector prepends the component's key. The functions are safe for concurrent use.
package configerr

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mistake is an invalid setting.
type Mistake struct {
	// Key is the path of the setting within the component's configuration.
	Key string
	// Value is the configured value; nil if the mistake is about a section or a missing setting.
	Value any
	// Wrong describes what is wrong with the value, beginning with a verb.
	Wrong string
	// Remedy describes what to write instead, beginning with a verb.
	Remedy string
}

// New returns a mistake.
func New(key string, value any, wrong, remedy string) error {
	return &Mistake{Key: key, Value: value, Wrong: wrong, Remedy: remedy}
}

func (m *Mistake) Error() string {
	if m.Value == nil {
		return fmt.Sprintf("%s: %s; %s", m.Key, m.Wrong, m.Remedy)
	}
	return fmt.Sprintf("%s: %s %s; %s", m.Key, text(m.Value), m.Wrong, m.Remedy)
}

// text formats a value, quoting strings.
func text(value any) string {
	if v := reflect.ValueOf(value); v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(value)
}

// delimiter is confmap.KeyDelimiter, without that dependency.
const delimiter = "::"

// Path joins the parts of a key.
func Path(parts ...string) string { return strings.Join(parts, delimiter) }

// Index returns the key of a list entry.
func Index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// AtLeast returns a mistake if value is less than least.
func AtLeast[N cmp.Ordered](key string, value, least N) error {
	if value >= least {
		return nil
	}
	return New(key, value, "is too small", fmt.Sprintf("use %v or more", least))
}

// InRange returns a mistake if value is less than least or greater than most.
func InRange[N cmp.Ordered](key string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return New(key, value, "is out of range", fmt.Sprintf("use %v to %v", least, most))
}

// AboveZero returns a mistake if value is not positive. The remedy suggests the example.
func AboveZero[N cmp.Ordered](key string, value N, example string) error {
	if value > *new(N) {
		return nil
	}
	return New(key, value, "is not above zero", "use more, such as "+example)
}

// OrZero returns a mistake if value is negative. meaning describes zero in the remedy, as in "for none".
func OrZero[N cmp.Ordered](key string, value N, meaning string) error {
	if value >= *new(N) {
		return nil
	}
	return New(key, value, "is negative", fmt.Sprintf("use a number above 0, or 0 %s", meaning))
}

// OneOf returns a mistake if value is none of the known ones.
func OneOf[T ~string](key string, value T, known ...T) error {
	if slices.Contains(known, value) {
		return nil
	}
	return New(key, value, "is not known", "use "+List(known))
}

// List returns an enumeration of alternatives: a, b or c.
func List[T ~string](words []T) string {
	if len(words) == 0 {
		return ""
	}
	list := strconv.Quote(string(words[0]))
	for i, word := range words[1:] {
		separator := ", "
		if i == len(words)-2 {
			separator = " or "
		}
		list += separator + strconv.Quote(string(word))
	}
	return list
}

// leastDuration is less than every sensible duration.
const leastDuration = time.Millisecond

// Unit returns a mistake if a duration was written as a number without a unit: the collector reads 15 as 15 nanoseconds,
// without an error.
func Unit(key string, value time.Duration, example string) error {
	if value <= 0 || value >= leastDuration {
		return nil
	}
	return New(key, value, "is in nanoseconds, as a number without a unit is", "write the unit, such as "+example)
}

// Positive returns a mistake if a duration is not positive or lacks a unit.
func Positive(key string, value time.Duration, example string) error {
	if value > 0 {
		return Unit(key, value, example)
	}
	return AboveZero(key, value, example)
}

// NotNegative returns a mistake if a duration is negative or lacks a unit. meaning describes zero in the remedy.
func NotNegative(key string, value time.Duration, example, meaning string) error {
	if value >= 0 {
		return Unit(key, value, example)
	}
	return New(key, value, "is negative", fmt.Sprintf("use a duration such as %s, or 0s %s", example, meaning))
}
