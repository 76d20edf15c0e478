// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"errors"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The state of an open run has one encoding for the journal and for the memory of a sleeping task. In memory a text that many tasks
// share is a number, and correlation ids and details are indexes into the lists of their task; the journal has all values in full,
// because another process reads it.

// texts numbers the texts that many sleeping tasks share, such as names of events and keys of attributes. A number is never
// reassigned. It belongs to one assembler.
type texts struct {
	numbers map[string]int64
	list    []string
}

const (
	// mostTexts bounds how many texts have numbers; others are written in full.
	mostTexts = 1 << 12
	// longestText is the length up to which a text gets a number.
	longestText = 64
)

func newTexts() *texts { return &texts{numbers: map[string]int64{}} }

// number returns the number of the text; false when it has none.
func (x *texts) number(text string) (int64, bool) {
	if n, known := x.numbers[text]; known {
		return n, true
	}
	if len(text) > longestText || len(x.list) >= mostTexts {
		return 0, false
	}
	text = strings.Clone(text)
	n := int64(len(x.list))
	x.numbers[text] = n
	x.list = append(x.list, text)
	return n, true
}

// encoder appends values one after the other: integers as zigzag varints, times as differences to a base.
type encoder struct {
	data  []byte
	base  int64
	task  *task
	texts *texts // nil for the journal
}

// begin begins another message with the base, task and texts of this one.
func (e *encoder) begin() *encoder { return &encoder{base: e.base, task: e.task, texts: e.texts} }

func (e *encoder) ints(list ...int64) {
	for _, n := range list {
		e.data = protowire.AppendVarint(e.data, protowire.EncodeZigZag(n))
	}
}

// times appends times; zero, which means absent, takes one byte.
func (e *encoder) times(list ...int64) {
	for _, at := range list {
		if at == 0 {
			e.data = append(e.data, 0)
		} else {
			e.data = protowire.AppendVarint(e.data, protowire.EncodeZigZag(at-e.base)+1)
		}
	}
}

func (e *encoder) id(id SpanID) { e.data = append(e.data, id[:]...) }

func (e *encoder) float(f float64) { e.data = protowire.AppendFixed64(e.data, math.Float64bits(f)) }

// text appends the number of a text, counted down from -1, or its length and the text.
func (e *encoder) text(text string) {
	if e.texts != nil && text != "" {
		if n, known := e.texts.number(text); known {
			e.ints(-1 - n)
			return
		}
	}
	e.ownText(text)
}

// ownText appends a text that few tasks share.
func (e *encoder) ownText(text string) {
	e.ints(int64(len(text)))
	e.data = append(e.data, text...)
}

// correlationID appends a correlation id by its index in the task.
func (e *encoder) correlationID(place uint16) {
	if e.texts != nil {
		e.ints(int64(place))
	} else {
		e.ownText(e.task.correlationID(place))
	}
}

var errCut = errors.New("stored values are truncated")

// decoder reads what an encoder appended. After an error it returns zeros.
type decoder struct {
	data  []byte
	base  int64
	texts *texts // nil for the journal
	task  *task
	owner *Assembler
	err   error
}

// of returns a decoder for another message with the same base, task and texts.
func (d *decoder) of(data []byte) *decoder {
	return &decoder{data: data, base: d.base, texts: d.texts, task: d.task, owner: d.owner}
}

// more reports whether there is more to read.
func (d *decoder) more() bool { return len(d.data) > 0 && d.err == nil }

func (d *decoder) fail() { d.err, d.data = errCut, nil }

func (d *decoder) varint() uint64 {
	v, size := protowire.ConsumeVarint(d.data)
	if size < 0 {
		d.fail()
		return 0
	}
	d.data = d.data[size:]
	return v
}

func (d *decoder) int() int64 { return protowire.DecodeZigZag(d.varint()) }

func (d *decoder) time() int64 {
	v := d.varint()
	if v == 0 {
		return 0
	}
	return d.base + protowire.DecodeZigZag(v-1)
}

func (d *decoder) id() (id SpanID) {
	if len(d.data) < len(id) {
		d.fail()
		return id
	}
	d.data = d.data[copy(id[:], d.data):]
	return id
}

func (d *decoder) float() float64 {
	v, size := protowire.ConsumeFixed64(d.data)
	if size < 0 {
		d.fail()
		return 0
	}
	d.data = d.data[size:]
	return math.Float64frombits(v)
}

// text reads a text, shared with equal ones.
func (d *decoder) text() string {
	n := d.int()
	if n < 0 && d.texts != nil && -1-n < int64(len(d.texts.list)) {
		return d.texts.list[-1-n]
	}
	return d.owner.intern(d.bytes(n))
}

// ownText reads a text that few tasks share.
func (d *decoder) ownText() string { return d.bytes(d.int()) }

func (d *decoder) bytes(size int64) string {
	if size < 0 || size > int64(len(d.data)) {
		d.fail()
		return ""
	}
	text := string(d.data[:size])
	d.data = d.data[size:]
	return text
}

// correlationID reads a correlation id and returns its index in the task.
func (d *decoder) correlationID() uint16 {
	if d.texts == nil {
		return d.task.correlationIndex(d.owner, d.ownText())
	}
	place := d.int()
	if place < 0 || place > int64(len(d.task.correlationIDs)) {
		d.fail()
		return 0
	}
	return uint16(place)
}

func flag(on bool, bit int64) int64 {
	if on {
		return bit
	}
	return 0
}
