// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

const bufferBytes = 256 << 10

// First bytes of compressed streams, and of UTF-16 as written by Windows.
const (
	gzipMagic  = "\x1f\x8b"
	zstdMagic  = "\x28\xb5\x2f\xfd"
	utf16Magic = "\xff\xfe"
)

// maxZstdWindow is the largest window that zstd accepts by default: a frame of a few bytes can request gigabytes.
const maxZstdWindow = 128 << 20

// Source reads several files one after the other.
type Source struct {
	paths  []string
	stdin  io.Reader
	reader *Reader
	closer io.Closer
}

// NewSource returns a source of the files at the paths. The path [Stdin] stands for the given reader. Files are opened one at a
// time.
func NewSource(paths []string, stdin io.Reader) *Source {
	return &Source{paths: paths, stdin: stdin}
}

// Check opens every file once, so that wrong names are reported before anything is read.
func (s *Source) Check() error {
	var all []error
	for _, path := range s.paths {
		if path == Stdin {
			continue
		}
		file, err := os.Open(path)
		if err != nil {
			all = append(all, err)
			continue
		}
		if info, err := file.Stat(); err == nil && info.IsDir() {
			all = append(all, fmt.Errorf("%s is a directory: name the files in it", path))
		}
		file.Close() //nolint:errcheck // nothing was written
	}
	return errors.Join(all...)
}

// Next returns the next item, which is valid until the following call; io.EOF after the last one. Any other error names the
// file and is final.
func (s *Source) Next() (Item, error) {
	for {
		if s.reader == nil {
			if len(s.paths) == 0 {
				return Item{}, io.EOF
			}
			if err := s.open(s.paths[0]); err != nil {
				return Item{}, err
			}
			s.paths = s.paths[1:]
		}
		item, err := s.reader.Next()
		if err == nil {
			return item, nil
		}
		name := s.reader.name
		closeErr := s.Close()
		if !errors.Is(err, io.EOF) {
			return Item{}, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if closeErr != nil {
			return Item{}, fmt.Errorf("cannot close %s: %w", name, closeErr)
		}
	}
}

func (s *Source) open(path string) error {
	if path == Stdin {
		reader, err := NewReader("stdin", s.stdin)
		s.reader = reader
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	s.closer = file
	s.reader, err = NewReader(path, file)
	return err
}

// Close closes the open file, if any. It may be called again.
func (s *Source) Close() error {
	s.reader = nil
	if s.closer == nil {
		return nil
	}
	closer := s.closer
	s.closer = nil
	return closer.Close()
}

// inflate detects the compression by the first bytes, because standard input has no file name.
func inflate(name string, in io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(in, bufferBytes)
	begin, _ := buffered.Peek(len(zstdMagic)) // the first item's read reports the error
	switch {
	case bytes.HasPrefix(begin, []byte(gzipMagic)):
		inflated, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s looks like gzip but is not: %w", name, err)
		}
		return bufio.NewReaderSize(inflated, bufferBytes), nil
	case string(begin) == zstdMagic:
		// With a concurrency of 1 it has no goroutines, so it need not be closed.
		inflated, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("%s looks like zstd but is not: %w", name, err)
		}
		return bufio.NewReaderSize(inflated, bufferBytes), nil
	case bytes.HasPrefix(begin, []byte(utf16Magic)):
		return nil, fmt.Errorf("%s is UTF-16, and JSON is UTF-8: convert it, such as with iconv -f utf-16 -t utf-8", name)
	}
	return buffered, nil
}
