// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package configerr is the one form of a mistake in a configuration, for all components and the command line:
//
//	KEY: VALUE what is wrong; what to do
//	shedding::low: -1 is negative; use 0 or more
//
// A key is written as the collector writes it, section::key, and an entry of a list as list[0]. A Validate joins all mistakes
// with errors.Join, and the collector puts the component's key before them. The functions may be called concurrently.
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

// Mistake is a mistake in a configuration.
type Mistake struct {
	// Key is the setting's path below the component.
	Key string
	// Value is nil for what is wrong with a section or with a setting that is missing.
	Value any
	// Wrong says what is wrong with the value, beginning with a verb.
	Wrong string
	// Remedy says what to write instead, beginning with a verb.
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

// text quotes what is a string in the configuration.
func text(value any) string {
	if v := reflect.ValueOf(value); v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(value)
}

// delimiter is confmap.KeyDelimiter, without the dependency.
const delimiter = "::"

// Path joins the parts of a key.
func Path(parts ...string) string { return strings.Join(parts, delimiter) }

// Index returns the key of an entry of a list.
func Index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// AtLeast returns a mistake if a number is too small.
func AtLeast[N cmp.Ordered](key string, value, least N) error {
	if value >= least {
		return nil
	}
	return New(key, value, "is too small", fmt.Sprintf("use %v or more", least))
}

// InRange returns a mistake if a number is too small or too large.
func InRange[N cmp.Ordered](key string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return New(key, value, "is out of range", fmt.Sprintf("use %v to %v", least, most))
}

// AboveZero returns a mistake if a number is negative or zero.
func AboveZero[N cmp.Ordered](key string, value N, example string) error {
	if value > *new(N) {
		return nil
	}
	return New(key, value, "is not above zero", "use more, such as "+example)
}

// OrZero returns a mistake if a number is negative. The meaning of zero goes into the remedy: "for none".
func OrZero[N cmp.Ordered](key string, value N, meaning string) error {
	if value >= *new(N) {
		return nil
	}
	return New(key, value, "is negative", fmt.Sprintf("use a number above 0, or 0 %s", meaning))
}

// OneOf returns a mistake if a text is none of those that are known.
func OneOf[T ~string](key string, value T, known ...T) error {
	if slices.Contains(known, value) {
		return nil
	}
	return New(key, value, "is not known", "use "+List(known))
}

// List returns the enumeration of alternatives: a, b or c.
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

// leastDuration is below every duration that anybody means.
const leastDuration = time.Millisecond

// Unit returns a mistake if a duration was written as a mere number: YAML's 15 is read as 15 nanoseconds, which is no error
// to the collector.
func Unit(key string, value time.Duration, example string) error {
	if value <= 0 || value >= leastDuration {
		return nil
	}
	return New(key, value, "is in nanoseconds, as a number without a unit is", "write the unit, such as "+example)
}

// Positive returns a mistake if a duration is not above zero or has no unit.
func Positive(key string, value time.Duration, example string) error {
	if value > 0 {
		return Unit(key, value, example)
	}
	return AboveZero(key, value, example)
}

// NotNegative returns a mistake if a duration is negative or has no unit. The meaning of zero goes into the remedy.
func NotNegative(key string, value time.Duration, example, meaning string) error {
	if value >= 0 {
		return Unit(key, value, example)
	}
	return New(key, value, "is negative", fmt.Sprintf("use a duration such as %s, or 0s %s", example, meaning))
}
