// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// leastZstdWindow is the window that every decoder should support (RFC 8878).
const leastZstdWindow = 8 << 20

// zstdReaders inflates bodies. A frame declares its window, and a decoder allocates it at once: with the half gigabyte that
// confighttp's decoder allows, a few bodies of 46 bytes made the memory_limiter refuse all senders.
type zstdReaders struct {
	window uint64
	idle   sync.Pool
}

// newZstdReaders makes readers for bodies of at most the given inflated size.
func newZstdReaders(largestBody int64) *zstdReaders {
	return &zstdReaders{window: uint64(max(largestBody, leastZstdWindow))}
}

// open implements a decoder of confighttp.
func (z *zstdReaders) open(body io.ReadCloser) (io.ReadCloser, error) {
	if decoder, _ := z.idle.Get().(*zstd.Decoder); decoder != nil {
		return &zstdReader{decoder, z}, decoder.Reset(body)
	}
	// With one goroutine a decoder needs no closing.
	decoder, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(z.window))
	if err != nil {
		return nil, err
	}
	return &zstdReader{decoder, z}, nil
}

// zstdReader reads one body.
type zstdReader struct {
	decoder *zstd.Decoder
	from    *zstdReaders
}

func (r *zstdReader) Read(p []byte) (int, error) {
	n, err := r.decoder.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = fmt.Errorf("%w: compress it with one of at most %d bytes", err, r.from.window)
	}
	return n, err
}

// Close must be called once, as confighttp does.
func (r *zstdReader) Close() error {
	if err := r.decoder.Reset(nil); err != nil {
		return err
	}
	r.from.idle.Put(r.decoder)
	return nil
}
