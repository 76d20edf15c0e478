// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is the compression of files.
type Compression string

// The compressions.
const (
	CompressionNone Compression = "none"
	CompressionGzip Compression = "gzip"
	CompressionZstd Compression = "zstd"
)

// Compressions returns all compressions.
func Compressions() []Compression {
	return []Compression{CompressionNone, CompressionGzip, CompressionZstd}
}

// suffix returns the usual suffix of compressed files.
func (c Compression) suffix() string {
	switch c {
	case CompressionGzip:
		return ".gz"
	case CompressionZstd:
		return ".zst"
	}
	return ""
}

// Path returns the path of a compressed file.
func (c Compression) Path(path string) string {
	if suffix := c.suffix(); !strings.HasSuffix(path, suffix) {
		return path + suffix
	}
	return path
}

// cutPacked removes the suffix of a compressed file.
func cutPacked(name string) (rest string, packed bool) {
	for _, c := range Compressions() {
		if rest, packed = strings.CutSuffix(name, c.suffix()); packed && c.suffix() != "" {
			return rest, true
		}
	}
	return name, false
}

// pack returns a compressing writer. Closing it does not close w.
func (c Compression) pack(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case CompressionGzip:
		return gzip.NewWriter(w), nil
	case CompressionZstd:
		packer, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return packer, nil
	}
	return plain{w}, nil
}

// unpack returns a reader that reverses pack.
func (c Compression) unpack(r io.Reader) (io.Reader, error) {
	switch c {
	case CompressionGzip:
		return gzip.NewReader(r)
	case CompressionZstd:
		reader, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return reader.IOReadCloser(), nil
	}
	return r, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
