// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package atomicfile replaces files as a whole: a reader, and a machine that starts again after a power cut, finds the
// old content or the new one.
//
// A File holds no state; two writers of one path need a lock of their own (filelock).
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

const (
	bufferSize      = 64 << 10
	temporarySuffix = ".tmp"
)

// File is a file that is only ever replaced as a whole. One process at a time may write it.
type File struct {
	Path string
	// Mode is the permissions of the file; 0 for those of the file that it replaces, or readable by all, as far as the
	// process's umask lets a new file be.
	Mode os.FileMode
}

// Prepare creates the directory and removes what a killed process left unfinished.
func (f File) Prepare() error {
	if err := f.PrepareDirectory(); err != nil {
		return err
	}
	return f.removeLeftOver()
}

// PrepareDirectory creates the directory and refuses what is no file: for whoever does not yet know whether another process
// writes.
func (f File) PrepareDirectory() error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return fmt.Errorf("directory of %s can't be created: %w", f.Path, err)
	}
	// Not /dev/null, which a file would take the place of for every program, nor a link, which it would take the place of too.
	return regular.Check(f.Path)
}

func (f File) removeLeftOver() error {
	directory := filepath.Dir(f.Path)
	entries, err := os.ReadDir(directory)
	if err != nil {
		return fmt.Errorf("directory of %s can't be read: %w", f.Path, err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, f.temporaryPrefix()) || !strings.HasSuffix(name, temporarySuffix) {
			continue
		}
		if err := removeIfThere(filepath.Join(directory, name)); err != nil {
			return fmt.Errorf("left-over of %s can't be removed: %w", f.Path, err)
		}
	}
	return nil
}

func (f File) temporaryPrefix() string { return "." + filepath.Base(f.Path) + "." }

// Replace writes a new file beside the old one, makes sure that it is on disk and puts it in the old one's place.
// A reader, or a machine that starts again after a power cut, finds the old file or the new one.
func (f File) Replace(write func(io.Writer) error) error {
	directory := filepath.Dir(f.Path)
	temporary := filepath.Join(directory, fmt.Sprintf("%s%08x%s", f.temporaryPrefix(), rand.Uint32(), temporarySuffix))
	mode, given := f.mode()
	if err := writeFile(temporary, mode, given, write); err != nil {
		return fmt.Errorf("%s not written: %w", f.Path, errors.Join(err, removeIfThere(temporary)))
	}
	if err := os.Rename(temporary, f.Path); err != nil {
		return fmt.Errorf("%s not put in place: %w", f.Path, errors.Join(err, removeIfThere(temporary)))
	}
	if err := SyncDirectory(directory); err != nil {
		return fmt.Errorf("directory of %s not synchronized to disk: %w", f.Path, err)
	}
	return nil
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// mode is that of the new file; given says that it is to be exactly so.
func (f File) mode() (mode os.FileMode, given bool) {
	if f.Mode != 0 {
		return f.Mode, true
	}
	if info, err := os.Lstat(f.Path); err == nil && info.Mode().IsRegular() {
		return info.Mode().Perm(), true // somebody may have made it readable to fewer
	}
	return 0o644, false
}

// writeFile makes a new file and returns only after it is on disk.
func writeFile(name string, mode os.FileMode, given bool, write func(io.Writer) error) (err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if given {
		if err := permit(file, mode); err != nil {
			return err
		}
	}
	buffered := bufio.NewWriterSize(file, bufferSize)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Sync()
}

// permit undoes what the umask took away. Where permissions are those of a whole mount, there is nothing to do, and it might
// be refused.
func permit(file *os.File, mode os.FileMode) error {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm() == mode {
		return err
	}
	return file.Chmod(mode)
}
