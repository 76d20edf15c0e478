// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rotation bounds the disk space of appended files.
type Rotation struct {
	// MaxMegabytes is the maximum size of a file; a batch that would exceed it is written to a new one.
	MaxMegabytes int `mapstructure:"max_megabytes"`
	// MaxDays is how long a rotated file is kept; 0 means forever.
	MaxDays int `mapstructure:"max_days"`
	// MaxBackups is the maximum number of rotated files; 0 means all.
	MaxBackups int `mapstructure:"max_backups"`
	// LocalTime names rotated files by local time instead of UTC.
	LocalTime bool `mapstructure:"localtime"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Reasons for a rotation, which are part of the rotated file's name.
const (
	reasonSize    = "size"
	reasonColumns = "columns"
)

// pruneInterval is the interval between checks of rotated files' age.
const pruneInterval = time.Hour

// oldTime is the time format in the name of a rotated file.
const oldTime = "2006-01-02T15-04-05.000"

func (r *Rotation) location() *time.Location {
	if r.LocalTime {
		return time.Local
	}
	return time.UTC
}

// oldFile is a rotated file: NAME-TIME-REASON.EXTENSION, possibly compressed.
type oldFile struct {
	path   string
	at     time.Time
	packed bool
}

// oldFiles returns the rotated files of a file, newest first.
func oldFiles(path string, location *time.Location) ([]oldFile, error) {
	directory, extension := filepath.Dir(path), filepath.Ext(path)
	prefix := strings.TrimSuffix(filepath.Base(path), extension) + "-"
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var old []oldFile
	for _, entry := range entries {
		stem, ours := strings.CutPrefix(entry.Name(), prefix)
		unpacked, packed := cutPacked(stem)
		stem, found := strings.CutSuffix(unpacked, extension)
		text, known := cutReason(stem)
		if at, err := time.ParseInLocation(oldTime, text, location); err == nil && ours && found && known {
			old = append(old, oldFile{filepath.Join(directory, entry.Name()), at, packed})
		}
	}
	slices.SortStableFunc(old, func(a, b oldFile) int { return cmp.Compare(b.at.UnixMilli(), a.at.UnixMilli()) })
	return old, nil
}

func cutReason(stem string) (rest string, known bool) {
	for _, reason := range []string{reasonSize, reasonColumns} {
		if rest, known = strings.CutSuffix(stem, "-"+reason); known {
			return rest, true
		}
	}
	return stem, false
}

// putAside renames the file. The names of rotated files are unique even within a millisecond.
func (a *Append) putAside(reason string) error {
	old, err := oldFiles(a.path, a.rotation.location())
	if err != nil {
		return err
	}
	at := time.Now().In(a.rotation.location())
	for slices.ContainsFunc(old, func(o oldFile) bool { return o.at.Format(oldTime) == at.Format(oldTime) }) {
		at = at.Add(time.Millisecond)
	}
	extension := filepath.Ext(a.path)
	stem := strings.TrimSuffix(a.path, extension)
	return os.Rename(a.path, fmt.Sprintf("%s-%s-%s%s", stem, at.Format(oldTime), reason, extension))
}

// prune removes rotated files that are too old or too many. Errors are reported but do not fail a write; the next rotation
// retries.
func (a *Append) prune() {
	a.pruned = time.Now()
	if a.rotation.MaxBackups == 0 && a.rotation.MaxDays == 0 {
		return
	}
	old, err := oldFiles(a.path, a.rotation.location())
	errs := []error{err}
	kept := 0
	for i, o := range old {
		if i == 0 || !o.at.Equal(old[i-1].at) { // a file being compressed exists twice
			kept++
		}
		if a.rotation.MaxBackups > 0 && kept > a.rotation.MaxBackups || a.rotation.MaxDays > 0 && a.pruned.Sub(o.at) > time.Duration(a.rotation.MaxDays)*24*time.Hour {
			if err := os.Remove(o.path); !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		a.failed(fmt.Errorf("remove rotated files of %s: %w", a.path, err))
	}
}
