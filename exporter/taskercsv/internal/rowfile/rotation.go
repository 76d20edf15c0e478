// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package rowfile

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/DeRuina/timberjack"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/atomicfile"
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

const (
	// pruneInterval is how often old files are looked at for their age.
	pruneInterval = time.Hour
	// nameInterval is more than the millisecond to which old files are named: one would take the place of another.
	nameInterval = 2 * time.Millisecond
)

// putAside renames the file, makes an empty one in its place and removes old files that are too many.
func (a *Append) putAside(reason string) error {
	time.Sleep(time.Until(a.rotated.Add(nameInterval)))
	err := a.withOld(func(old *timberjack.Logger) error { return old.RotateWithReason(reason) })
	a.rotated = time.Now()
	if err != nil {
		return err
	}
	return atomicfile.SyncDirectory(filepath.Dir(a.path))
}

// prune removes old files that are too old or too many.
func (a *Append) prune() error {
	return a.withOld(func(old *timberjack.Logger) error {
		_, err := old.Write(nil) // its first write, of nothing here, looks at old files
		return err
	})
}

// withOld lends what renames and removes old files. Closing it waits for its work, and lets go of the file, which it opens
// but does not write.
func (a *Append) withOld(do func(*timberjack.Logger) error) error {
	const never = 1 << 30 // megabytes: when to begin a new file is not its decision
	old := &timberjack.Logger{
		Filename: a.path, MaxSize: never, MaxAge: a.rotation.MaxDays, MaxBackups: a.rotation.MaxBackups, LocalTime: a.rotation.LocalTime,
		Compression: string(CompressionNone), FileMode: 0o644,
	}
	a.pruned = time.Now()
	return errors.Join(do(old), old.Close())
}
