// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"sync"
)

// untilDone reads until the context ends, even while the underlying read blocks.
type untilDone struct {
	ctx   context.Context
	in    io.Reader
	begin sync.Once
	reads chan read
	last  read // the unread rest of the last read
}

// read is the result of one read.
type read struct {
	data []byte
	err  error
}

func newUntilDone(ctx context.Context, in io.Reader) *untilDone {
	return &untilDone{ctx: ctx, in: in, reads: make(chan read)}
}

// Read implements [io.Reader].
func (u *untilDone) Read(p []byte) (int, error) {
	u.begin.Do(func() { go u.pump() })
	for len(u.last.data) == 0 {
		if u.last.err != nil {
			return 0, u.last.err
		}
		select {
		case <-u.ctx.Done():
			return 0, context.Cause(u.ctx)
		case u.last = <-u.reads:
		}
	}
	n := copy(p, u.last.data)
	u.last.data = u.last.data[n:]
	return n, nil
}

// pump reads in a goroutine. A blocked read ends with the process. A buffer is reused after the next one has been received,
// when its content has been consumed.
func (u *untilDone) pump() {
	var buffers [2][64 << 10]byte
	for i := 0; ; i = 1 - i {
		n, err := u.in.Read(buffers[i][:])
		select {
		case <-u.ctx.Done():
			return
		case u.reads <- read{buffers[i][:n], err}:
		}
		if err != nil {
			return
		}
	}
}
