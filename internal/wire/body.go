// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"strconv"

	"go.opentelemetry.io/collector/pdata/plog"
)

// byteOrderMark may precede UTF-8 text; Windows programs write it.
const byteOrderMark = "\xef\xbb\xbf"

// body splits a body into items.
func (d *decoding) body() {
	start := 0
	if bytes.HasPrefix(d.whole, []byte(byteOrderMark)) {
		start = len(byteOrderMark)
	}
	switch {
	case d.request.CloudEvent != nil:
		d.binary(start)
		return
	case d.request.Format == FormatNDJSON:
		d.lines(start)
	default:
		d.sequence(start, len(d.whole), true)
	}
	switch {
	case d.overfull:
		d.takeNothing()
	case d.index == 0 && d.report.Refused == 0 && skipSpace(d.whole, start) == len(d.whole):
		d.origin = 0
		d.refuse(ReasonEmpty, "", "the body is empty", "send at least one item")
	}
}

// takeNothing refuses the body as a whole: the sender can only split it if nothing of it was accepted.
func (d *decoding) takeNothing() {
	d.logs, d.report = plog.NewLogs(), Report{}
	clear(d.groups)
	d.index, d.origin, d.line, d.counted = d.settings.Limits.MaxItems, 0, 1, 0
	d.refuse(ReasonItems, "", "the body has more than "+strconv.Itoa(d.settings.Limits.MaxItems)+" items",
		"send fewer items at once, or raise max_items")
}

// lines reads NDJSON. A JSON value cannot contain a raw line feed in a string, so lines can be split without parsing.
func (d *decoding) lines(start int) {
	for start < len(d.whole) && !d.overfull {
		end := len(d.whole)
		if length := bytes.IndexByte(d.whole[start:], '\n'); length >= 0 {
			end = start + length
		}
		d.sequence(start, end, false)
		start = end + 1
	}
}

// sequence reads items, and arrays of items, that follow one another in a part of the body. After broken JSON it continues at the
// next line that begins with an object or array, if the part may have several lines; otherwise the rest of the part is lost.
func (d *decoding) sequence(i, end int, manyLines bool) {
	part := d.whole[:end]
	for i = skipSpace(part, i); i < end && !d.overfull; i = skipSpace(part, i) {
		if part[i] == '[' {
			i = d.array(part, i)
			continue
		}
		next, ok := d.next(part, i)
		switch {
		case ok:
			i = next
		case d.fault == faultEncoding, d.fault == faultDepth, d.fault == faultSize, d.fault == faultValues, d.fault == faultText:
			i = skipValue(part, i)
		case manyLines:
			i = nextLine(part, i)
		default:
			i = end
		}
	}
}

// nextLine returns the start of the next line that is not indented and begins with an object or array.
func nextLine(part []byte, i int) int {
	for {
		length := bytes.IndexByte(part[i:], '\n')
		if length < 0 {
			return len(part)
		}
		i += length + 1
		if c := at(part, i); c == '{' || c == '[' {
			return i
		}
	}
}

// array reads the array of items that begins at i, and returns where it ends. After a broken item it continues after the next comma
// outside of brackets and strings.
func (d *decoding) array(part []byte, i int) int {
	if i = skipSpace(part, i+1); at(part, i) == ']' {
		return i + 1
	}
	for !d.overfull {
		next, ok := d.next(part, i)
		if ok {
			i = skipSpace(part, next)
		} else {
			i = skipToSeparator(part, i)
		}
		switch c := at(part, i); {
		case c == ',':
			i = skipSpace(part, i+1)
		case c == ']':
			return i + 1
		case i >= len(part):
			if ok { // otherwise the end was refused with the item that it broke
				d.origin = len(part)
				d.refuse(ReasonSyntax, "", "the array of items is not closed", "send whole arrays")
				d.index++
			}
			return i
		default:
			d.origin, d.src, d.at, d.fault = i, part[i:], 0, faultSyntax
			d.refuseFault()
			d.index++
			if i = skipToSeparator(part, i); at(part, i) == ']' {
				return i + 1
			} else if i >= len(part) {
				return i
			}
			i = skipSpace(part, i+1)
		}
	}
	return len(part)
}

// next reads the item at i and returns where it ends. It returns false if the scan stopped: then the end is unknown.
func (d *decoding) next(part []byte, i int) (end int, ok bool) {
	if d.index == d.settings.Limits.MaxItems {
		d.overfull = true
		return len(part), true
	}
	d.origin, d.refused, d.impossible = i, false, ""
	most := d.settings.Limits.MaxItemBytes
	window := part[i:]
	if len(window) > most {
		window = window[:most+1] // one more byte distinguishes an item of the largest size from a longer one
	}
	length := d.scan(window)
	if len(window) > most && (length > most || d.fault == faultEnd) {
		length, d.fault = stopped, faultSize
	}
	if length == stopped {
		d.refuseFault()
	} else {
		d.source = window[:length]
		d.item()
	}
	d.index++
	return i + length, length != stopped
}

// skipToSeparator returns the position of the next comma, or of the end of the array.
func skipToSeparator(part []byte, i int) int {
	for {
		i = skipSpace(part, skipValue(part, i))
		switch at(part, i) {
		case ',', ']':
			return i
		case '}':
			i++ // one closing bracket too many
		}
		if i >= len(part) {
			return len(part)
		}
	}
}

// skipValue returns the end of a value that may be invalid.
func skipValue(part []byte, i int) int {
	var value Brackets
	return i + value.Skip(part[i:])
}
