// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
)

// maxSearched is the size up to which an object is written key by key. pdata searches the whole map for each key, which is slow for
// a large object: that is built as a Go map first.
const maxSearched = 128

// members writes the members of the object at i: those of the payload under tasker.KEY, others under their own keys.
func (d *decoding) members(to pcommon.Map, i uint32, payload bool) {
	own := &d.tokens[i]
	if own.size > maxSearched {
		// FromRaw fails only for types that rawObject does not return.
		_ = to.FromRaw(d.rawObject(i, payload))
		return
	}
	to.EnsureCapacity(int(own.size))
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind != kindNull && !d.leaves(key, payload) {
			d.set(to.PutEmpty(d.key(key, payload)), value)
		}
	}
}

// leaves reports whether the member of the payload whose key is at i is left out, and then computes only its hash.
func (d *decoding) leaves(i uint32, payload bool) bool {
	if !payload {
		return false
	}
	place := d.left.placeOf(d.plain(&d.tokens[i]))
	if place != nowhere {
		d.leave(place, i+1)
	}
	return place != nowhere
}

// setHashed writes the value of the token at i and returns its hash.
func (d *decoding) setHashed(to pcommon.Value, seed eventrecord.Seed, i uint32) uint64 {
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		text := d.plain(t)
		hash := seed.Text(text)
		to.SetStr(d.texts.sharedAt(hash, text))
		return hash
	case kindInteger:
		if n, ok := parseInteger(d.bytes(t)); ok {
			to.SetInt(n)
			return seed.Int(n)
		}
	}
	d.set(to, i)
	return d.hash(seed, i)
}

// set writes the value of the token at i.
func (d *decoding) set(to pcommon.Value, i uint32) {
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		to.SetStr(d.text(t))
	case kindInteger:
		if n, ok := parseInteger(d.bytes(t)); ok {
			to.SetInt(n)
		} else {
			to.SetStr(string(d.bytes(t)))
		}
	case kindFloat:
		if f, err := strconv.ParseFloat(string(d.bytes(t)), 64); err == nil {
			to.SetDouble(f)
		} else {
			to.SetStr(string(d.bytes(t)))
		}
	case kindTrue, kindFalse:
		to.SetBool(t.kind == kindTrue)
	case kindObject:
		d.members(to.SetEmptyMap(), i, false)
	case kindArray:
		list := to.SetEmptySlice()
		list.EnsureCapacity(int(t.size))
		for next := i + 1; next < t.next; next = d.after(next) {
			d.set(list.AppendEmpty(), next)
		}
	}
}

func (d *decoding) rawObject(i uint32, payload bool) map[string]any {
	own := &d.tokens[i]
	members := make(map[string]any, own.size)
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind != kindNull && !d.leaves(key, payload) {
			members[d.key(key, payload)] = d.raw(value)
		}
	}
	return members
}

func (d *decoding) raw(i uint32) any {
	switch t := &d.tokens[i]; t.kind {
	case kindNull:
		return nil
	case kindObject:
		return d.rawObject(i, false)
	case kindArray:
		list := make([]any, 0, t.size)
		for next := i + 1; next < t.next; next = d.after(next) {
			list = append(list, d.raw(next))
		}
		return list
	default:
		value := pcommon.NewValueEmpty()
		d.set(value, i)
		return value.AsRaw()
	}
}

// after returns the index of the token after the value at i.
func (d *decoding) after(i uint32) uint32 {
	if t := &d.tokens[i]; t.kind >= kindObject {
		return t.next
	}
	return i + 1
}

// bytes returns the source of a scalar.
func (d *decoding) bytes(t *token) []byte { return d.src[t.start:t.end] }

// plain returns a string without escapes, valid until the next call.
func (d *decoding) plain(t *token) []byte {
	if t.escaped {
		return d.texts.resolve(d.bytes(t))
	}
	return d.bytes(t)
}

// text returns a copy of a string.
func (d *decoding) text(t *token) string { return d.texts.shared(d.plain(t)) }

// key returns the key of the token at i.
func (d *decoding) key(i uint32, payload bool) string {
	if payload {
		return d.texts.attribute(d.plain(&d.tokens[i]))
	}
	return d.text(&d.tokens[i])
}

// parseInteger returns false for an integer beyond int64.
func parseInteger(s []byte) (int64, bool) {
	const safeDigits = 18
	digits := s
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > safeDigits {
		n, err := strconv.ParseInt(string(s), 10, 64)
		return n, err == nil
	}
	var n int64
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}
