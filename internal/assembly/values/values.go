// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package values encodes lists of values compactly: integers as zigzag varints, times as differences to a base. A reader knows the
// order and the types of the values; what can be missing or added later is a field of a message around them (internal/journal/fields).
//
// The same encoding serves the journal and the memory of one process. There, a text that many messages share is a number of [Texts].
//
// Nothing here is safe for concurrent use.
package values

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Encoder appends values to Data.
type Encoder struct {
	Data []byte
	// Base is subtracted from times.
	Base int64
	// Texts has the numbers of shared texts; nil writes all texts in full.
	Texts *Texts
}

// Ints appends integers.
func (e *Encoder) Ints(list ...int64) {
	for _, n := range list {
		e.Data = protowire.AppendVarint(e.Data, protowire.EncodeZigZag(n))
	}
}

// Flag returns the bit if it is on, else 0.
func Flag(on bool, bit int64) int64 {
	if on {
		return bit
	}
	return 0
}

// Times appends times; zero, which means absent, takes one byte.
func (e *Encoder) Times(list ...int64) {
	for _, at := range list {
		if at == 0 {
			e.Data = append(e.Data, 0)
		} else {
			e.Data = protowire.AppendVarint(e.Data, protowire.EncodeZigZag(at-e.Base)+1)
		}
	}
}

// ID appends an id.
func (e *Encoder) ID(id [8]byte) { e.Data = append(e.Data, id[:]...) }

// Float appends a number.
func (e *Encoder) Float(f float64) { e.Data = protowire.AppendFixed64(e.Data, math.Float64bits(f)) }

// Text appends the number of a text, counted down from -1, or its length and the text.
func (e *Encoder) Text(text string) {
	if e.Texts != nil && text != "" {
		if n, known := e.Texts.number(text); known {
			e.Ints(-1 - n)
			return
		}
	}
	e.OwnText(text)
}

// OwnText appends a text that few messages share.
func (e *Encoder) OwnText(text string) {
	e.Ints(int64(len(text)))
	e.Data = append(e.Data, text...)
}

// ErrCut is the error of data that ends too early, or has a value that no encoder writes.
var ErrCut = errors.New("stored values are truncated")

// Decoder reads what an Encoder appended. After an error it returns zeros.
type Decoder struct {
	Data  []byte
	Base  int64
	Texts *Texts // as the encoder had
	// Intern, unless it is nil, returns a text that is shared with equal ones.
	Intern func(string) string
	Err    error
}

// More reports whether there is more to read.
func (d *Decoder) More() bool { return len(d.Data) > 0 && d.Err == nil }

// Fail makes all further values zero.
func (d *Decoder) Fail() { d.Err, d.Data = ErrCut, nil }

func (d *Decoder) varint() uint64 {
	v, size := protowire.ConsumeVarint(d.Data)
	if size < 0 {
		d.Fail()
		return 0
	}
	d.Data = d.Data[size:]
	return v
}

// Int reads an integer.
func (d *Decoder) Int() int64 { return protowire.DecodeZigZag(d.varint()) }

// Time reads a time.
func (d *Decoder) Time() int64 {
	v := d.varint()
	if v == 0 {
		return 0
	}
	return d.Base + protowire.DecodeZigZag(v-1)
}

// ID reads an id.
func (d *Decoder) ID() (id [8]byte) {
	if len(d.Data) < len(id) {
		d.Fail()
		return id
	}
	d.Data = d.Data[copy(id[:], d.Data):]
	return id
}

// Float reads a number.
func (d *Decoder) Float() float64 {
	v, size := protowire.ConsumeFixed64(d.Data)
	if size < 0 {
		d.Fail()
		return 0
	}
	d.Data = d.Data[size:]
	return math.Float64frombits(v)
}

// Text reads a text that [Encoder.Text] appended.
func (d *Decoder) Text() string {
	n := d.Int()
	if n < 0 && d.Texts != nil && -1-n < int64(len(d.Texts.list)) {
		return d.Texts.list[-1-n]
	}
	text := d.bytes(n)
	if d.Intern != nil {
		return d.Intern(text)
	}
	return text
}

// OwnText reads a text that [Encoder.OwnText] appended.
func (d *Decoder) OwnText() string { return d.bytes(d.Int()) }

func (d *Decoder) bytes(size int64) string {
	if size < 0 || size > int64(len(d.Data)) {
		d.Fail()
		return ""
	}
	text := string(d.Data[:size])
	d.Data = d.Data[size:]
	return text
}
