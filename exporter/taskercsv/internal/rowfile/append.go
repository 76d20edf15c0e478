// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Append is a file to which each write appends. A write that returns is on disk; a failed one is reverted.
type Append struct {
	path     string
	format   Format
	max      int64
	rotation Rotation
	packer   *packer
	failed   func(error)
	pruned   time.Time // last removal of rotated files

	file *os.File
	size int64 // of the complete rows
	// columns are the header, or for JSON the keys of the first row; nil if the file is empty.
	columns []string
}

var _ File = (*Append)(nil)

// NewAppend makes a file to append to. Rotated files are compressed; the current one is not, so that it can be followed and
// repaired. Errors of compressing and removing rotated files are passed to failed and retried at the next rotation.
func NewAppend(path string, format Format, rotation Rotation, compression Compression, failed func(error)) *Append {
	return &Append{
		path:     path,
		format:   format,
		max:      int64(rotation.MaxMegabytes) << 20,
		rotation: rotation,
		failed:   failed,
		packer:   newPacker(path, compression, rotation.location(), failed),
	}
}

// Open implements [File]: it removes an incomplete last row, and compresses and removes rotated files that a killed process
// left.
func (a *Append) Open() (cut int64, err error) {
	if err := (fsfile.Atomic{Path: a.path}).PrepareDirectory(); err != nil {
		return 0, err
	}
	if cut, err = a.open(); err != nil {
		return 0, err
	}
	a.prune()
	a.packer.wake()
	return cut, nil
}

func (a *Append) open() (cut int64, err error) {
	file, err := fsfile.Open(a.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	whole, err := wholeRows(file, a.format.JSON)
	if err == nil {
		cut, err = a.truncate(file, whole)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("append to %s: %w", a.path, err), file.Close())
	}
	if _, err := file.Seek(0, io.SeekStart); err == nil && whole > 0 {
		a.columns = a.format.firstRow(file)
	} else {
		a.columns = nil
	}
	a.file, a.size = file, whole
	return cut, nil
}

// truncate removes what follows the complete rows.
func (a *Append) truncate(file *os.File, whole int64) (cut int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() <= whole {
		return 0, nil
	}
	return info.Size() - whole, errors.Join(file.Truncate(whole), file.Sync())
}

// Columns implements [File].
func (a *Append) Columns() []string {
	if !a.format.headed() {
		return nil
	}
	return a.columns
}

// Write implements [File]. It rotates the file if it would become too large or has other columns.
func (a *Append) Write(rows Rows) (Written, error) {
	var body bytes.Buffer
	n, err := a.format.writeRows(&body, rows)
	if err != nil || n == 0 {
		return Written{}, err
	}
	written := Written{Rows: n}
	if err := a.current(); err != nil {
		return Written{}, fmt.Errorf("%s not written: %w", a.path, err)
	}
	if a.rotation.MaxDays > 0 && time.Since(a.pruned) > pruneInterval {
		a.prune()
	}
	if reason := a.full(rows, int64(body.Len())); reason != "" {
		if err := a.rotate(reason); err != nil {
			return Written{}, fmt.Errorf("%s not rotated: %w", a.path, err)
		}
		written.Rotated = true
	}
	if a.size == 0 {
		if body, err = a.withHeader(rows, body); err != nil {
			return Written{}, err
		}
	}
	if err := a.append(body.Bytes()); err != nil {
		return Written{}, fmt.Errorf("%s not written: %w", a.path, err)
	}
	if a.columns = rows.Header(); a.format.JSON {
		a.columns = []string{"{"}
	}
	return written, nil
}

// current ensures that the open file is the one at path and ends with a complete row, also after it was moved, removed,
// emptied or extended.
func (a *Append) current() error {
	if a.file != nil {
		open, err := a.file.Stat()
		there, thereErr := os.Stat(a.path)
		if err == nil && thereErr == nil && os.SameFile(open, there) && there.Size() == a.size {
			return nil
		}
		_ = a.file.Close() // its content is synchronized
		a.file = nil
	}
	_, err := a.open()
	return err
}

// full returns the reason to rotate; empty if there is none.
func (a *Append) full(rows Rows, more int64) (reason string) {
	if a.size == 0 {
		return ""
	}
	if len(a.columns) == 0 || !a.format.continues(a.columns, rows.Header()) {
		return reasonColumns
	}
	if a.size+more > a.max {
		return reasonSize
	}
	return ""
}

func (a *Append) rotate(reason string) error {
	closing := a.file
	a.file = nil
	if err := closing.Close(); err != nil {
		return err
	}
	if err := a.putAside(reason); err != nil {
		return err
	}
	_, err := a.open()
	err = errors.Join(err, fsfile.SyncDirectory(filepath.Dir(a.path)))
	a.prune()
	a.packer.wake()
	return err
}

func (a *Append) withHeader(rows Rows, body bytes.Buffer) (bytes.Buffer, error) {
	if !a.format.headed() {
		return body, nil
	}
	var whole bytes.Buffer
	if err := a.format.writeHeader(&whole, rows); err != nil {
		return whole, err
	}
	_, err := body.WriteTo(&whole)
	return whole, err
}

// append writes content at once and reverts a partial write. If that fails too, the next write reverts it by reopening the
// file.
func (a *Append) append(content []byte) error {
	_, err := a.file.Write(content)
	if err == nil {
		err = a.file.Sync()
	}
	if err != nil {
		_, _ = a.truncate(a.file, a.size)
		_ = a.file.Close()
		a.file = nil
		return err
	}
	a.size += int64(len(content))
	return nil
}

// Close implements [File]. It waits until rotated files are compressed.
func (a *Append) Close() error {
	var err error
	if a.file != nil {
		err = a.file.Close()
		a.file = nil
	}
	a.packer.wait()
	return err
}
