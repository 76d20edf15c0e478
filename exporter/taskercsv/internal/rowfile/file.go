// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"encoding/csv"
	"errors"
	"io"
	"os"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

// Rows are what is to be written.
type Rows interface {
	// Header is the row of the columns' names.
	Header() []string
	// WriteRows writes the rows, without the header, and returns their number.
	WriteRows(w *csv.Writer) (int, error)
}

// Written says what a write did.
type Written struct {
	Rows    int
	Bytes   int64
	Rotated bool
}

// File is a file of rows.
type File interface {
	// Open prepares for writing, and returns how many bytes of a torn last row it has cut off.
	Open() (cut int64, err error)
	// Columns are those of the file as it is; nil if it has none, or no header.
	Columns() []string
	// Write puts rows into the file. When it fails the file is as it was before.
	Write(rows Rows) (Written, error)
	// Close is safe before Open, and twice.
	Close() error
}

// Format is how rows become text.
type Format struct {
	Delimiter rune
	// Header says that files begin with the names of the columns.
	Header bool
}

// write writes the header, if it is wanted, and the rows.
func (f Format) write(w io.Writer, rows Rows) (int, error) {
	out := csv.NewWriter(w)
	out.Comma = f.Delimiter
	if f.Header {
		if err := out.Write(rows.Header()); err != nil {
			return 0, err
		}
	}
	n, err := rows.WriteRows(out)
	out.Flush()
	return n, errors.Join(err, out.Error())
}

// firstRow reads the first row, which is nil if there is no whole one.
func (f Format) firstRow(r io.Reader) []string {
	in := csv.NewReader(r)
	in.Comma = f.Delimiter
	row, err := in.Read()
	if err != nil {
		return nil
	}
	return row
}

// columnsOf reads the names of the columns of the file at path, if it is there and can be read.
func (f Format) columnsOf(path string, unpack func(io.Reader) (io.Reader, error)) (columns []string) {
	if !f.Header {
		return nil
	}
	file, err := regular.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	reader, err := unpack(file)
	if err != nil {
		return nil
	}
	return f.firstRow(reader)
}
