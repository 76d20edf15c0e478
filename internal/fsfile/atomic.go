// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

const (
	bufferSize      = 64 << 10
	temporarySuffix = ".tmp"
)

// Atomic is a file that is only ever replaced as a whole. One process at a time may write it, see [TakeLock].
type Atomic struct {
	Path string
	// Mode has the permissions of the file; 0 means those of the replaced file, or for a new one readable by all, subject to the
	// umask.
	Mode os.FileMode
}

// Prepare creates the directory and removes temporary files of a killed process.
func (f Atomic) Prepare() error {
	if err := f.PrepareDirectory(); err != nil {
		return err
	}
	return f.removeLeftOver()
}

// PrepareDirectory creates the directory and refuses a path that is not a regular file. It is for callers that do not hold the lock
// yet.
func (f Atomic) PrepareDirectory() error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return fmt.Errorf("directory of %s can't be created: %w", f.Path, err)
	}
	// Neither a device such as /dev/null nor a link may be replaced by a file.
	return Check(f.Path)
}

func (f Atomic) removeLeftOver() error {
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
		if err := Remove(filepath.Join(directory, name)); err != nil {
			return fmt.Errorf("left-over of %s can't be removed: %w", f.Path, err)
		}
	}
	return nil
}

func (f Atomic) temporaryPrefix() string { return "." + filepath.Base(f.Path) + "." }

// Replace writes a new file next to the old one, syncs it to disk and renames it over the old one. A reader, or a machine after a
// power loss, finds either the old or the new file.
func (f Atomic) Replace(write func(io.Writer) error) error {
	directory := filepath.Dir(f.Path)
	temporary := filepath.Join(directory, fmt.Sprintf("%s%08x%s", f.temporaryPrefix(), rand.Uint32(), temporarySuffix))
	mode, given := f.mode()
	if err := writeFile(temporary, mode, given, write); err != nil {
		return fmt.Errorf("%s not written: %w", f.Path, errors.Join(err, Remove(temporary)))
	}
	if err := os.Rename(temporary, f.Path); err != nil {
		return fmt.Errorf("%s not replaced: %w", f.Path, errors.Join(err, Remove(temporary)))
	}
	if err := SyncDirectory(directory); err != nil {
		return fmt.Errorf("directory of %s not synchronized to disk: %w", f.Path, err)
	}
	return nil
}

// Remove removes a file; that it is not there is no error.
func Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// mode returns the mode of the new file; given means that the umask must not apply.
func (f Atomic) mode() (mode os.FileMode, given bool) {
	if f.Mode != 0 {
		return f.Mode, true
	}
	if info, err := os.Lstat(f.Path); err == nil && info.Mode().IsRegular() {
		return info.Mode().Perm(), true // its permissions may have been restricted
	}
	return 0o644, false
}

// writeFile creates a file and syncs it to disk.
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

// permit restores the bits removed by the umask. Where a mount fixes the permissions, they are equal already, and a change might be
// refused.
func permit(file *os.File, mode os.FileMode) error {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm() == mode {
		return err
	}
	return file.Chmod(mode)
}
