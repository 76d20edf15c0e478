// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package glob implements the pattern language of the configuration and the command line: an asterisk matches any run of
// characters, including none, and every other character matches itself.
//
// A [Glob] is immutable and may be used concurrently.
package glob

import (
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Any is the pattern that matches every name.
const Any = "*"

// Check reports patterns that would mean something else in other glob languages.
func Check(key, pattern string) error {
	switch {
	case strings.ContainsAny(pattern, `?[]{}\`):
		return configerr.New(key, pattern, "has a wildcard that is not known", "use * for any run of characters")
	case strings.Contains(pattern, Any+Any):
		return configerr.New(key, pattern, "has two stars in a row", "use one, which means the same")
	}
	return nil
}

// IsPattern reports whether a text contains a wildcard.
func IsPattern(text string) bool { return strings.Contains(text, Any) }

// Match reports whether a pattern matches a name. For repeated use of a pattern, make a [Glob].
func Match(pattern, name string) bool {
	g := New(pattern)
	return g.Match(name)
}

// MatchAny reports whether any of the patterns matches a name.
func MatchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return Match(pattern, name) })
}

// Glob is a parsed pattern. It is immutable.
type Glob struct {
	pattern     string
	first, last string
	between     []string
}

// New parses a pattern. Every text is valid.
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

// Literals returns the number of literal bytes, by which patterns are compared for specificity.
func (g *Glob) Literals() int { return len(g.pattern) - strings.Count(g.pattern, Any) }

// Match reports whether the glob matches a name: it begins with the first part, ends with the last and contains the others
// between them in order.
func (g *Glob) Match(name string) bool {
	if !IsPattern(g.pattern) {
		return name == g.pattern
	}
	rest, ok := strings.CutPrefix(name, g.first)
	if !ok {
		return false
	}
	for _, part := range g.between {
		// Matching the earliest occurrence leaves the most text for the following parts.
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, g.last)
}

// Covers reports whether the glob matches every name that another pattern matches. Stars of the other pattern are replaced
// by a character that is no literal of this glob, so that only a star can match them.
func (g *Glob) Covers(pattern string) bool {
	return g.Match(strings.ReplaceAll(pattern, Any, "\x00"))
}
