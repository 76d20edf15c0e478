// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// MaxItemBytes is the maximum size of an item. It is more than a receiver's default limit, so that usually the receiver
// decides.
const MaxItemBytes = 16 << 20

// Origin is the place where an item begins.
type Origin struct {
	File string
	Line int // from 1
}

func (o Origin) String() string { return fmt.Sprintf("%s:%d", o.File, o.Line) }

// Item is one item of a file.
type Item struct {
	Origin
	// JSON is a valid JSON object without line feeds; empty if there is a fault.
	JSON []byte
	// Fault is set instead of JSON for a part of the file that is not an item.
	Fault *Fault
}

// Fault is the reason why a part of a file is not an item.
type Fault struct{ Reason, Remedy string }

const byteOrderMark = "\xef\xbb\xbf"

// Reader splits one file into items.
//
// After invalid JSON it continues at the next line that begins with an object and is not indented, or after the invalid line.
//
// The end of an item is found by its brackets. The scanner of package wire, which also validates, needs a complete item and
// would start again with each chunk.
type Reader struct {
	name    string
	in      *bufio.Reader
	line    int
	started bool
	arrays  int // arrays of items that are open
	text    []byte
	compact bytes.Buffer
}

// NewReader returns a reader of a stream, which may be compressed with gzip or zstd. The name is that of the items' origins.
func NewReader(name string, in io.Reader) (*Reader, error) {
	buffered, err := inflate(name, in)
	if err != nil {
		return nil, err
	}
	return &Reader{name: name, in: buffered, line: 1}, nil
}

// Next returns the next item, which is valid until the following call; io.EOF after the last one.
func (r *Reader) Next() (Item, error) {
	if !r.started {
		r.started = true
		if mark, _ := r.in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
			r.in.Discard(len(byteOrderMark)) //nolint:errcheck // these bytes are buffered
		}
	}
	for {
		c, err := r.in.ReadByte()
		if err == io.EOF && r.arrays > 0 {
			r.arrays = 0
			return r.faultyItem(r.line, "the file ends inside an array of items", "check that the file is whole"), nil
		}
		if err != nil {
			return Item{}, err
		}
		switch {
		case c == '\n':
			r.line++
		case c == ' ', c == '\t', c == '\r':
		case c == '[':
			r.arrays++
		case r.arrays > 0 && c == ',':
		case r.arrays > 0 && c == ']':
			r.arrays--
		default:
			if err := r.in.UnreadByte(); err != nil {
				return Item{}, err
			}
			if c == '{' {
				return r.object()
			}
			return r.skipInvalid()
		}
	}
}

// object reads the object that begins here.
func (r *Reader) object() (Item, error) {
	first := r.line
	value := wire.Brackets{Lines: true}
	r.text = r.text[:0]
	size := 0
	for !value.Ended() {
		chunk, err := r.chunk()
		if err != nil && !errors.Is(err, io.EOF) {
			return Item{}, err
		}
		if len(chunk) == 0 {
			break // the file ends inside the object
		}
		n := value.Skip(chunk)
		r.line += bytes.Count(chunk[:n], []byte{'\n'})
		if size += n; size <= MaxItemBytes {
			r.text = append(r.text, chunk[:n]...)
		}
		r.in.Discard(n) //nolint:errcheck // these bytes are buffered
	}
	if size > MaxItemBytes {
		return r.faultyItem(first, fmt.Sprintf("the item has more than %d bytes", MaxItemBytes),
			"leave large values out of the payload"), nil
	}
	if !json.Valid(r.text) {
		var value json.RawMessage
		return r.faultyItem(first, fmt.Sprintf("the item is not valid JSON: %v", json.Unmarshal(r.text, &value)),
			"send one JSON object per line"), nil
	}
	return Item{Origin: Origin{r.name, first}, JSON: r.oneLine()}, nil
}

// oneLine removes line feeds from an item.
func (r *Reader) oneLine() []byte {
	if bytes.IndexByte(r.text, '\n') < 0 {
		return r.text
	}
	r.compact.Reset()
	if err := json.Compact(&r.compact, r.text); err != nil {
		return r.text // unreachable: the text is valid
	}
	return r.compact.Bytes()
}

// skipInvalid skips what is neither an object nor an array, to the end of the line or of the array's element.
func (r *Reader) skipInvalid() (Item, error) {
	first := r.line
	r.text = r.text[:0]
	for {
		chunk, err := r.chunk()
		if err != nil && !errors.Is(err, io.EOF) {
			return Item{}, err
		}
		n := len(chunk)
		stops := "\n"
		if r.arrays > 0 {
			stops = "\n,]"
		}
		stop := bytes.IndexAny(chunk, stops)
		if stop >= 0 {
			n = stop
		}
		if room := shownInvalid - len(r.text); room > 0 {
			r.text = append(r.text, chunk[:min(n, room)]...)
		}
		r.in.Discard(n) //nolint:errcheck // these bytes are buffered
		if stop >= 0 || len(chunk) == 0 {
			return r.faultyItem(first, fmt.Sprintf("%q is not a JSON object", r.text),
				`send objects of the form {"event": "step.completed", "payload": {…}}`), nil
		}
	}
}

// shownInvalid is how many bytes of an invalid part are quoted.
const shownInvalid = 40

// chunk returns the buffered bytes, at least one unless the file ends.
func (r *Reader) chunk() ([]byte, error) {
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	return r.in.Peek(r.in.Buffered())
}

func (r *Reader) faultyItem(line int, reason, remedy string) Item {
	return Item{Origin: Origin{r.name, line}, Fault: &Fault{reason, remedy}}
}
