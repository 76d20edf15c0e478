// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzScan checks that the scanner accepts the values that encoding/json accepts, and that its tokens are well formed: each
// container's members fill the room between its token and the next.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,null,"\u00e9\n",{}]}`, `[[[]]]`, `"\ud83d"`, `01`, `-`, `1.`, `1e`, `nul`, `{"a"}`, `{"a":1,}`, "\"\x1f\"",
		`{"a":"12345678\"9"}`, "\"\x7f\xc3\xa9\"", "\"\xc3\"", ` 1 `, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{maxDepth: 1000, maxValues: 1 << 30, maxText: 1 << 30}
		end := s.scan(text)
		whole := end != stopped && skipSpace(text, end) == len(text)
		// encoding/json accepts bytes that are not UTF-8, and replaces them.
		if want := json.Valid(text) && utf8.Valid(text); want != whole && s.fault != faultDepth {
			t.Fatalf("%q: taken %v, encoding/json: %v", text, whole, want)
		}
		if end == stopped {
			return
		}
		if next := check(t, s.tokens, 0); int(next) != len(s.tokens) {
			t.Fatalf("%q: %d of %d tokens", text, next, len(s.tokens))
		}
	})
}

// check walks the value at i and returns the index after it.
func check(t *testing.T, tokens []token, i uint32) uint32 {
	own := tokens[i]
	next := i + 1
	switch own.kind {
	case kindObject, kindArray:
		for range own.size {
			if own.kind == kindObject {
				if tokens[next].kind != kindText {
					t.Fatalf("token %d is no key", next)
				}
				next++
			}
			next = check(t, tokens, next)
		}
		if next != own.next {
			t.Fatalf("token %d ends at %d, not %d", i, next, own.next)
		}
	}
	return next
}
