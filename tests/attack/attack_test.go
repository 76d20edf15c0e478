// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every listed attack exists and has a description.
func TestFind(t *testing.T) {
	all, err := find("../..", named())
	require.NoError(t, err)
	require.Greater(t, len(all), len(named()), "tests that begin with "+prefix)
	seen := map[string]bool{}
	for _, a := range all {
		require.NotEmpty(t, a.tried, a.test)
		require.False(t, seen[a.pkg+a.test], a.test)
		seen[a.pkg+a.test] = true
	}
	_, err = find("../..", []attack{{"./tests", "TestThatIsGone", ""}})
	require.ErrorContains(t, err, "./tests has no TestThatIsGone any more")
}

func TestFirstSentence(t *testing.T) {
	for comment, want := range map[string]string{
		"":                                  "TestA",
		"TestA: a flood. It ends.\nAnd so.": "a flood",
		"TestA tries\nmuch.":                "tries much",
		"A file that is cut.":               "A file that is cut",
	} {
		require.Equal(t, want, firstSentence("TestA", comment))
	}
}

func TestReport(t *testing.T) {
	results := []result{
		{attack: attack{"./a", "TestOne", "a flood"}}, {attack: attack{"./a", "TestTwo", "a kill"}},
		{attack: attack{"./a", "TestThree", "a disk"}}, {attack: attack{"./a", "TestFour", "a panic"}},
	}
	rest := collect(strings.NewReader(`{"Action":"output","Test":"TestOne","Output":"    x.go:3: finding: 3 MB\n"}
{"Action":"pass","Test":"TestOne/part","Elapsed":1}
{"Action":"pass","Test":"TestOne","Elapsed":2.5}
{"Action":"output","Test":"TestTwo/part","Output":"lost 3\n"}
{"Action":"fail","Test":"TestTwo","Elapsed":1}
{"Action":"output","Test":"TestThree","Output":"    needs root\n"}
{"Action":"output","Test":"TestThree","Output":"--- SKIP: TestThree\n"}
{"Action":"skip","Test":"TestThree"}
panic: no
{"Action":"output","Output":"exit status 2\n"}
`), results)
	require.Equal(t, []string{"panic: no", "exit status 2"}, rest)
	var out bytes.Buffer
	require.True(t, report(&out, results, 3*time.Second))
	require.Equal(t, `
==== ./a TestTwo
lost 3

==== ./a TestFour


TRIED    FOUND                               SECONDS  TEST
a flood  held: 3 MB                          2.5      ./a TestOne
a kill   BROKEN                              1.0      ./a TestTwo
a disk   not tried: needs root               0.0      ./a TestThree
a panic  BROKEN: it did not come to its end  0.0      ./a TestFour

4 tried in 3s: 1 held, 2 broken, 1 not tried
`, out.String())
}
