// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package glob matches names with the one pattern language of the configuration and the command line: an asterisk stands
// for any run of characters, including none, and every other character for itself.
//
// A Glob is immutable.
package glob

import (
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Any is the pattern that matches every name.
const Any = "*"

// Check reports what makes the pattern of a setting ambiguous for a reader who knows other glob languages.
func Check(key, pattern string) error {
	switch {
	case strings.ContainsAny(pattern, `?[]{}\`):
		return configerr.New(key, pattern, "has a wildcard that is not known", "use * for any run of characters")
	case strings.Contains(pattern, Any+Any):
		return configerr.New(key, pattern, "has two stars in a row", "use one, which means the same")
	}
	return nil
}

// IsPattern reports whether a text can match more than itself.
func IsPattern(text string) bool { return strings.Contains(text, Any) }

// Match reports whether a pattern matches a name. A caller that matches the same pattern often keeps a [Glob] instead.
func Match(pattern, name string) bool {
	g := New(pattern)
	return g.Match(name)
}

// MatchAny reports whether one of the patterns matches a name.
func MatchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return Match(pattern, name) })
}

// Glob is a pattern split at its stars. It is immutable.
type Glob struct {
	pattern     string
	first, last string
	between     []string
}

// New splits a pattern. Every text is a valid pattern.
func New(pattern string) Glob {
	parts := strings.Split(pattern, Any)
	end := len(parts) - 1
	g := Glob{pattern: pattern, first: parts[0], last: parts[end]}
	if end > 0 {
		g.between = parts[1:end]
	}
	return g
}

// Pattern returns the text of the pattern.
func (g *Glob) Pattern() string { return g.pattern }

// Literals returns the number of bytes that are not stars. Of two patterns the one with more of them is more specific.
func (g *Glob) Literals() int { return len(g.pattern) - strings.Count(g.pattern, Any) }

// Match reports whether the name begins with the first part, ends with the last and has the others between them in order.
func (g *Glob) Match(name string) bool {
	if !IsPattern(g.pattern) {
		return name == g.pattern
	}
	rest, ok := strings.CutPrefix(name, g.first)
	if !ok {
		return false
	}
	for _, part := range g.between {
		// The earliest occurrence leaves the most for the parts that follow.
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, g.last)
}

// Covers reports whether the glob matches every name that another pattern matches. A star of the other pattern is replaced
// by a character that no literal of this glob can be, so that only a star can match it.
func (g *Glob) Covers(pattern string) bool {
	return g.Match(strings.ReplaceAll(pattern, Any, "\x00"))
}
