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

// Rotation bounds what appending leaves on the disk.
type Rotation struct {
	// MaxMegabytes of a file; a batch that would make it larger goes to a new one.
	MaxMegabytes int
	// MaxDays that an old file stays; 0 for ever.
	MaxDays int
	// MaxBackups is how many old files stay; 0 all.
	MaxBackups int
	// LocalTime names old files by the local time instead of UTC.
	LocalTime bool
}

// Reasons for a new file; the name of the old one has it.
const (
	reasonSize    = "size"
	reasonColumns = "columns"
)

// pruneInterval is how often old files are looked at for their age.
const pruneInterval = time.Hour

// oldTime is the time in the name of an old file.
const oldTime = "2006-01-02T15-04-05.000"

func (r *Rotation) location() *time.Location {
	if r.LocalTime {
		return time.Local
	}
	return time.UTC
}

// oldFile is a file that was renamed when a new one began: NAME-TIME-REASON.EXTENSION, and perhaps packed.
type oldFile struct {
	path   string
	at     time.Time
	packed bool
}

// oldFiles lists those of a file, the newest first.
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

// putAside renames the file. The names of old files differ also within a millisecond.
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

// prune removes old files that are too old or too many. Errors are reported and refuse no rows: the next rotation tries again.
func (a *Append) prune() {
	a.pruned = time.Now()
	if a.rotation.MaxBackups == 0 && a.rotation.MaxDays == 0 {
		return
	}
	old, err := oldFiles(a.path, a.rotation.location())
	errs := []error{err}
	kept := 0
	for i, o := range old {
		if i == 0 || !o.at.Equal(old[i-1].at) { // one that is being packed is there twice
			kept++
		}
		if a.rotation.MaxBackups > 0 && kept > a.rotation.MaxBackups || a.rotation.MaxDays > 0 && a.pruned.Sub(o.at) > time.Duration(a.rotation.MaxDays)*24*time.Hour {
			if err := os.Remove(o.path); !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		a.failed(fmt.Errorf("old files of %s: %w", a.path, err))
	}
}
