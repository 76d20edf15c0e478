// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/csv"
	"errors"
	"os"
)

// tableFile is a CSV file, created with its first row. A nil one writes nothing.
type tableFile struct {
	path string
	file *os.File
	rows *csv.Writer
	err  error
}

// write adds a row. Its errors are reported by close.
func (f *tableFile) write(header, cells []string) {
	if f == nil {
		return
	}
	if f.rows == nil && f.err == nil {
		f.err = f.create(header)
	}
	if f.err == nil {
		f.err = f.rows.Write(cells)
	}
}

func (f *tableFile) create(header []string) (err error) {
	if f.file, err = os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err != nil {
		return err
	}
	f.rows = csv.NewWriter(f.file)
	return f.rows.Write(header)
}

// close writes buffered rows and returns the first error.
func (f *tableFile) close() error {
	switch {
	case f == nil:
		return nil
	case f.rows == nil:
		return f.err
	}
	f.rows.Flush()
	return errors.Join(f.err, f.rows.Error(), f.file.Close())
}
