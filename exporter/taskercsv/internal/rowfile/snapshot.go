// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"io"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Snapshot is a file that each write replaces.
type Snapshot struct {
	file        fsfile.Atomic
	format      Format
	compression Compression
}

var _ File = (*Snapshot)(nil)

// NewSnapshot makes a snapshot file.
func NewSnapshot(path string, format Format, compression Compression) *Snapshot {
	return &Snapshot{file: fsfile.Atomic{Path: compression.Path(path)}, format: format, compression: compression}
}

// Open implements [File]: it removes temporary files of a killed process.
func (s *Snapshot) Open() (int64, error) { return 0, s.file.Prepare() }

// Columns implements [File].
func (s *Snapshot) Columns() []string {
	return s.format.columnsOf(s.file.Path, s.compression.unpack)
}

// Write implements [File].
func (s *Snapshot) Write(rows Rows) (Written, error) {
	var written Written
	err := s.file.Replace(func(w io.Writer) error {
		packer, err := s.compression.pack(w)
		if err != nil {
			return err
		}
		if written.Rows, err = s.format.write(packer, rows); err != nil {
			return err
		}
		return packer.Close()
	})
	return written, err
}

// Close implements [File].
func (*Snapshot) Close() error { return nil }
