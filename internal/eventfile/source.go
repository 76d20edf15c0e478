package eventfile

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

const bufferBytes = 256 << 10

// gzipMagic opens every gzip stream.
const gzipMagic = "\x1f\x8b"

// Source reads several files one after the other. It serves one goroutine.
type Source struct {
	paths  []string
	stdin  io.Reader
	reader *Reader
	closer io.Closer
}

// NewSource reads the paths, of which [Stdin] is the given reader. A file is opened when its turn comes.
func NewSource(paths []string, stdin io.Reader) *Source {
	return &Source{paths: paths, stdin: stdin}
}

// Check opens every file once, so that a wrong name is known before anything is read.
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

// Next is the next item, valid until the call after it; io.EOF after the last. Any other error names the file and is
// final.
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
		if err != io.EOF {
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

// Close closes the file at hand. Calling it again does nothing.
func (s *Source) Close() error {
	s.reader = nil
	if s.closer == nil {
		return nil
	}
	closer := s.closer
	s.closer = nil
	return closer.Close()
}

// inflate looks for gzip by its first bytes, because standard input has no file name to tell it.
func inflate(in io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(in, bufferBytes)
	if magic, err := buffered.Peek(len(gzipMagic)); err != nil || string(magic) != gzipMagic {
		return buffered, nil // a read error comes again with the first item
	}
	inflated, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(inflated, bufferBytes), nil
}
