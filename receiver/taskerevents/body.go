// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

const (
	// firstRoom is how much room is made for a body at its first bytes, whatever length its sender announces: that may be a
	// lie. Beyond, the room doubles with what arrives.
	firstRoom = 64 << 10
	// maxIdleRoom is the largest buffer that is kept for other bodies.
	maxIdleRoom = 4 << 20
)

// bodies lends buffers for whole bodies. The decoder keeps nothing of a body, so that its buffer can be used again.
type bodies struct{ idle sync.Pool }

// read reads a body, already inflated by confighttp, which also enforces the size limit. length is what its sender says.
// A body of which nothing has come yet has no buffer. The buffer goes back with giveBack.
func (b *bodies) read(body io.Reader, length int64) (*bytes.Buffer, error) {
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
		b.giveBack(buffer)
		return nil, err
	}
	return buffer, nil
}

func (b *bodies) giveBack(buffer *bytes.Buffer) {
	if buffer.Cap() > maxIdleRoom {
		return
	}
	buffer.Reset()
	b.idle.Put(buffer)
}

// tooLarge is the limit that a body was cut off at, if that is what went wrong.
func tooLarge(err error) (limit int64, ok bool) {
	var cut *http.MaxBytesError
	if errors.As(err, &cut) {
		return cut.Limit, true
	}
	return 0, false
}
