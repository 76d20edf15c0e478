// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package glob_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// backtrack is a slow, obviously correct matcher.
func backtrack(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return backtrack(pattern[1:], name) || name != "" && backtrack(pattern, name[1:])
	}
	return name != "" && name[0] == pattern[0] && backtrack(pattern[1:], name[1:])
}

func TestMatchEqualsBacktracking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab]{0,2}(\*[ab]{0,2}){0,3}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		if got := glob.Match(pattern, name); got != backtrack(pattern, name) {
			t.Fatalf("%q on %q: %v", pattern, name, got)
		}
	})
}

// A glob that covers a pattern matches every name that the pattern matches.
func TestCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringMatching(`[ab]{0,2}(\*[ab]{0,2}){0,2}`)
		wide, narrow := glob.New(texts.Draw(t, "wide")), texts.Draw(t, "narrow")
		name := rapid.StringMatching(`[ab]{0,6}`).Draw(t, "name")
		if wide.Covers(narrow) && glob.Match(narrow, name) && !wide.Match(name) {
			t.Fatalf("%q covers %q, but not %q", wide.Pattern(), narrow, name)
		}
	})
	wide := glob.New("task.*")
	assert.True(t, wide.Covers("task.*ed"))
	assert.False(t, wide.Covers("*"))
}

func TestCheck(t *testing.T) {
	for _, valid := range []string{"", "*", "import_*", "a*b*c", "näme with blanks, commas"} {
		require.NoError(t, glob.Check("key", valid), valid)
	}
	for _, wildcard := range []string{"a?", "[ab]", "{a,b}", `a\*`} {
		require.ErrorContains(t, glob.Check("key", wildcard), "use *", wildcard)
	}
	require.EqualError(t, glob.Check("key", "a**"), `key: "a**" has two stars in a row; use one, which means the same`)
}

func TestLiterals(t *testing.T) {
	g := glob.New("a*bc*")
	assert.Equal(t, 3, g.Literals())
	assert.True(t, glob.MatchAny([]string{"x", "a*c"}, "abc"))
	assert.False(t, glob.MatchAny(nil, "abc"))
}

// FuzzMatch compares globs with regular expressions.
func FuzzMatch(f *testing.F) {
	f.Add("a*b*c", "abbc")
	f.Add("*.failed", "step.failed")
	f.Add("ab*ba", "aba")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(name) {
			return
		}
		parts := strings.Split(pattern, "*")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		want := regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(name)
		require.Equal(t, want, glob.Match(pattern, name))
	})
}
