// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"io"
	"sync"
)

const (
	// firstRoom is the initial buffer size, regardless of the announced length, which may be false. The buffer then doubles
	// with the received bytes.
	firstRoom = 64 << 10
	// maxIdleRoom is the largest buffer that is kept for reuse.
	maxIdleRoom = 4 << 20
)

// Buffers pools buffers for callers that do not retain any part of a body. It is safe for concurrent use.
type Buffers struct{ idle sync.Pool }

// Read reads an inflated, bounded body. length is the announced one. No buffer is taken before the first byte arrives. The
// caller returns it with GiveBack.
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
	// bytes.MinRead more, or ReadFrom would grow the buffer again to detect EOF.
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

// GiveBack returns a buffer that is no longer referenced to the pool. Large ones are discarded.
func (b *Buffers) GiveBack(buffer *bytes.Buffer) {
	if buffer.Cap() > maxIdleRoom {
		return
	}
	buffer.Reset()
	b.idle.Put(buffer)
}
