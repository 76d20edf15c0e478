// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

func TestBrackets(t *testing.T) {
	for _, test := range []struct {
		lines            bool
		value, remainder string
		ended            bool
	}{
		{false, `{"a":"}\"]",b}`, `,{}`, true},
		{false, `nul`, `, 1]`, true},
		{false, `x`, "\n{}", true},
		{false, ``, `]`, true},
		{false, `[{"a":1}`, ``, false},
		{false, "{\"a\":\"x\n{\"}", "\n", true},
		{true, `{"a":"x`, "\n{}", true},
		{false, "{\"a\":\n{\"b\":1}}", ",", true},
		{true, "{\"a\":\n", "{\"b\":1}}", true},
		{true, "{\"a\":\n {\"b\":1}}", "\n", true},
	} {
		brackets := wire.Brackets{Lines: test.lines}
		require.Equal(t, len(test.value), brackets.Skip([]byte(test.value+test.remainder)), "%+v", test)
		require.Equal(t, test.ended, brackets.Ended(), "%+v", test)
	}
}

// FuzzBracketsInChunks: the end of a value does not depend on the chunks in which its text comes.
func FuzzBracketsInChunks(f *testing.F) {
	f.Add([]byte("{\"a\":[1,\"x\\\"\n{\"],}\n{\"b\"}"), uint8(3), true)
	f.Add([]byte("{\"a\":\n{\"b\":\"\\\\\"}},"), uint8(1), false)
	f.Fuzz(func(t *testing.T, text []byte, size uint8, lines bool) {
		whole, cut := wire.Brackets{Lines: lines}, wire.Brackets{Lines: lines}
		want, got := whole.Skip(text), 0
		for rest := text; len(rest) > 0 && !cut.Ended(); {
			n := min(len(rest), int(size)+1)
			got += cut.Skip(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, want, got)
		require.Equal(t, whole.Ended(), cut.Ended())
	})
}
