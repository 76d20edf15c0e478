// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"io"
	"sync"
)

const (
	// firstRoom is how much room is made for a body at its first bytes, whatever length its sender announces: that may be a
	// lie. Beyond, the room doubles with what arrives.
	firstRoom = 64 << 10
	// maxIdleRoom is the largest buffer that is kept for other bodies.
	maxIdleRoom = 4 << 20
)

// Buffers lends buffers for whole bodies to those that keep nothing of a body, so that its buffer can be used again. It is safe
// for concurrent use.
type Buffers struct{ idle sync.Pool }

// Read reads a body, already inflated and bounded. length is what its sender says. A body of which nothing has come yet has no
// buffer. The buffer goes back with GiveBack.
func (b *Buffers) Read(body io.Reader, length int64) (*bytes.Buffer, error) {
	var first [bytes.MinRead]byte
	n, err := body.Read(first[:])
	if err != nil && err != io.EOF {
		return nil, err
	}
	buffer, _ := b.idle.Get().(*bytes.Buffer)
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	// bytes.MinRead more, or ReadFrom would grow once more to see the end.
	buffer.Grow(int(min(max(length, int64(n)), firstRoom)) + bytes.MinRead)
	buffer.Write(first[:n])
	if err == io.EOF {
		return buffer, nil
	}
	if _, err := buffer.ReadFrom(body); err != nil {
		b.GiveBack(buffer)
		return nil, err
	}
	return buffer, nil
}

// GiveBack takes a buffer that nobody reads any more. A large one is let go.
func (b *Buffers) GiveBack(buffer *bytes.Buffer) {
	if buffer.Cap() > maxIdleRoom {
		return
	}
	buffer.Reset()
	b.idle.Put(buffer)
}
