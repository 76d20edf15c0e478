// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"sync"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
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

// openSource returns the source of event files, after checking that they can be opened. The standard input ends with the context.
func openSource(ctx context.Context, s streams, files []string) (*eventfile.Source, error) {
	source := eventfile.NewSource(files, newUntilDone(ctx, s.in))
	if err := source.Check(); err != nil {
		return nil, usageError{err}
	}
	return source, nil
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
