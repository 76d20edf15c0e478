// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

// Rows are what is to be written.
type Rows interface {
	// Header is the row of the columns' names.
	Header() []string
	// WriteRows writes the rows, without the header, and returns their number.
	WriteRows(w RowWriter) (int, error)
}

// RowWriter writes a row of cells.
type RowWriter interface {
	Write(row []string) error
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
	// JSON writes each row as an object in a line of its own. Names and cells are JSON then, Delimiter and Header unused.
	JSON      bool
	Delimiter rune
	// Header says that files begin with the names of the columns.
	Header bool
}

// write writes the header, if it is wanted, and the rows.
func (f Format) write(w io.Writer, rows Rows) (int, error) {
	if f.headed() {
		if err := f.writeHeader(w, rows); err != nil {
			return 0, err
		}
	}
	return f.writeRows(w, rows)
}

// headed reports whether files begin with the names of the columns.
func (f Format) headed() bool { return f.Header && !f.JSON }

func (f Format) writeHeader(w io.Writer, rows Rows) error {
	out := csv.NewWriter(w)
	out.Comma = f.Delimiter
	err := out.Write(rows.Header())
	out.Flush()
	return errors.Join(err, out.Error())
}

func (f Format) writeRows(w io.Writer, rows Rows) (int, error) {
	if f.JSON {
		out := objectWriter{names: rows.Header(), out: bufio.NewWriter(w)}
		n, err := rows.WriteRows(&out)
		return n, errors.Join(err, out.out.Flush())
	}
	out := csv.NewWriter(w)
	out.Comma = f.Delimiter
	n, err := rows.WriteRows(out)
	out.Flush()
	return n, errors.Join(err, out.Error())
}

// continues reports whether rows with these columns can be added to a file whose first row is first.
func (f Format) continues(first, columns []string) bool {
	switch {
	case f.JSON:
		return strings.HasPrefix(first[0], "{") // else it is a table, of another configuration
	case f.Header:
		return slices.Equal(first, columns)
	}
	return len(first) == len(columns)
}

// firstRow reads the first row, which is nil if there is no whole one.
func (f Format) firstRow(r io.Reader) []string {
	if f.JSON {
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			return nil
		}
		return []string{line}
	}
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
	if !f.headed() {
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
