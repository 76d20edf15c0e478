// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import "errors"

var errMalformed = errors.New("a batch of events is malformed")

// input reads a part of a batch. After a mistake it is bad, and empty.
type input struct {
	rest string
	bad  bool
}

func (in *input) fail() { in.rest, in.bad = "", true }

func (in *input) byte() byte {
	if in.rest == "" {
		in.fail()
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

func (in *input) flag() bool {
	b := in.byte()
	if b > 1 {
		in.fail()
	}
	return b == 1
}

func (in *input) uint() uint64 {
	if in.rest != "" && in.rest[0] <= numberMask {
		n := in.rest[0]
		in.rest = in.rest[1:]
		return uint64(n)
	}
	n := uint64(0)
	for i := 0; i < maxNumber && i < len(in.rest); i++ {
		b := in.rest[i]
		if b > numberMask|numberMore {
			break
		}
		n |= uint64(b&numberMask) << (numberBits * i)
		if b&numberMore == 0 {
			in.rest = in.rest[i+1:]
			return n
		}
	}
	in.fail()
	return 0
}

func (in *input) int() int64 {
	n := in.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (in *input) word() uint64 {
	if len(in.rest) < wordBytes {
		in.fail()
		return 0
	}
	n, ok := word(in.rest)
	if !ok {
		in.fail()
		return 0
	}
	in.rest = in.rest[wordBytes:]
	return n
}

// count returns the length of a list. Each element takes a byte at least.
func (in *input) count() int {
	n := in.uint()
	if n > uint64(len(in.rest)) {
		in.fail()
		return 0
	}
	return int(n)
}

func (in *input) text() string {
	n := in.count()
	text := in.rest[:n]
	in.rest = in.rest[n:]
	return text
}

func (in *input) value() Value {
	switch kind := Kind(in.byte()); kind {
	case KindNothing:
		return Value{}
	case KindText:
		return Value{Kind: kind, Text: in.text()}
	case KindInt:
		return Value{Kind: kind, number: uint64(in.int())}
	case KindDouble:
		return Value{Kind: kind, number: in.word()}
	case KindBool:
		return Bool(in.flag())
	case KindList:
		return in.list()
	}
	in.fail()
	return Value{}
}

// short reads a value whose length, or which itself, is a number of one byte, as most are. It returns false, and reads nothing, if the
// next value is another, or malformed.
func (in *input) short(to *Value) bool {
	s := in.rest
	if len(s) < 2 || s[1] > numberMask {
		return false
	}
	switch n := int(s[1]); Kind(s[0]) {
	case KindText:
		if len(s)-2 < n {
			return false
		}
		*to = Value{Kind: KindText, Text: s[2 : 2+n]}
		in.rest = s[2+n:]
		return true
	case KindInt:
		*to = Int(int64(n>>1) ^ -int64(n&1))
		in.rest = s[2:]
		return true
	}
	return false
}

// skip reads a value as value does, and forgets it.
func (in *input) skip() {
	s := in.rest
	if len(s) > 1 {
		n := int(s[1])
		switch Kind(s[0]) {
		case KindText:
			if n <= numberMask && n <= len(s)-2 {
				in.rest = s[2+n:]
				return
			}
		case KindInt:
			if n <= numberMask {
				in.rest = s[2:]
				return
			}
		case KindDouble:
			if len(s) > wordBytes && isWord(s[1:]) {
				in.rest = s[1+wordBytes:]
				return
			}
		}
	}
	in.value()
}

// list reads a list, and checks that its elements can be read.
func (in *input) list() Value {
	n := in.uint()
	if len(in.rest) < lengthBytes {
		in.fail()
		return Value{}
	}
	length, ok := small(in.rest[:lengthBytes])
	in.rest = in.rest[lengthBytes:]
	if !ok || length > len(in.rest) {
		in.fail()
		return Value{}
	}
	v := Value{Kind: KindList, Text: in.rest[:length], number: n}
	in.rest = in.rest[length:]
	elements := input{rest: v.Text}
	for i := uint64(0); i < n && !elements.bad; i++ {
		if elements.value().Kind == KindList {
			elements.fail()
		}
	}
	if elements.bad || elements.rest != "" {
		in.fail()
	}
	return v
}
