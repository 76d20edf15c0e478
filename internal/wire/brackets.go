// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

// Brackets finds the end of a value that may be invalid by its brackets and quotes, in a text that comes in chunks. The value
// ends after its last bracket, or before the next separator. The zero value is ready for one value.
type Brackets struct {
	// Lines also ends a value, as cut off, before the end of a line within a string, which JSON does not have, and before a line
	// that begins with an object and is not indented. It is for files of lines, whose items are written whole or cut. A receiver
	// does not set it: an object inside of a refused item must not be read as an item of its own.
	Lines bool

	depth         int
	text, escaped bool
	lineBegins    bool
	ended         bool
}

// Ended reports whether the end was found.
func (b *Brackets) Ended() bool { return b.ended }

// Skip takes the next chunk and returns how many bytes of it belong to the value.
func (b *Brackets) Skip(chunk []byte) int {
	for i, c := range chunk {
		if b.text {
			switch {
			case b.escaped:
				b.escaped = false
			case c == '\\':
				b.escaped = true
			case c == '"':
				b.text = false
			case c == '\n' && b.Lines:
				return b.end(i)
			}
			continue
		}
		lineBegins := b.lineBegins
		b.lineBegins = c == '\n'
		switch c {
		case '"':
			b.text = true
		case '{', '[':
			if c == '{' && lineBegins && b.Lines {
				return b.end(i)
			}
			b.depth++
		case '}', ']':
			if b.depth == 0 {
				return b.end(i)
			}
			if b.depth--; b.depth == 0 {
				return b.end(i + 1)
			}
		case ',', '\n':
			if b.depth == 0 {
				return b.end(i)
			}
		}
	}
	return len(chunk)
}

func (b *Brackets) end(i int) int {
	b.ended = true
	return i
}
