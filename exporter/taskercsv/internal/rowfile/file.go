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

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Rows are the rows to write.
type Rows interface {
	// Header returns the column names.
	Header() []string
	// WriteRows writes the rows, without the header, and returns their number.
	WriteRows(w RowWriter) (int, error)
}

// RowWriter writes a row of cells.
type RowWriter interface {
	Write(row []string) error
}

// Written describes a write.
type Written struct {
	Rows    int
	Rotated bool
}

// File is a file of rows.
type File interface {
	// Open prepares for writing, and returns how many bytes of an incomplete last row it has removed.
	Open() (cut int64, err error)
	// Columns returns the columns of the existing file; nil if it has none, or no header.
	Columns() []string
	// Write writes rows. If it fails the file is unchanged.
	Write(rows Rows) (Written, error)
	// Close may be called before Open and repeatedly.
	Close() error
}

// Format is the format of rows.
type Format struct {
	// JSON writes each row as an object on a line of its own. Names and cells are then JSON, and Delimiter and Header
	// unused.
	JSON      bool
	Delimiter rune
	// Header writes the column names as the first row.
	Header bool
}

// write writes the header, if there is one, and the rows.
func (f Format) write(w io.Writer, rows Rows) (int, error) {
	if f.headed() {
		if err := f.writeHeader(w, rows); err != nil {
			return 0, err
		}
	}
	return f.writeRows(w, rows)
}

// headed reports whether files have a header.
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

// continues reports whether rows with these columns can be appended to a file with this first row.
func (f Format) continues(first, columns []string) bool {
	switch {
	case f.JSON:
		return strings.HasPrefix(first[0], "{") // otherwise it is CSV, from another configuration
	case f.Header:
		return slices.Equal(first, columns)
	}
	return len(first) == len(columns)
}

// firstRow reads the first row; nil if there is no complete one.
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

// columnsOf reads the column names of the file at path; nil if it does not exist or is unreadable.
func (f Format) columnsOf(path string, unpack func(io.Reader) (io.Reader, error)) (columns []string) {
	if !f.headed() {
		return nil
	}
	file, err := fsfile.Open(path, os.O_RDONLY, 0)
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
