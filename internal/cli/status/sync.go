// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/atomicfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

// Durability says whether all that a collector has acknowledged outlives it.
//
// There is nothing to write: a component with storage writes what a request brings before it acknowledges the request. So
// whatever was acknowledged before the question is stored already, and whether that holds can be checked.
type Durability struct {
	// AsOf is the moment before which all that was acknowledged is stored.
	AsOf     time.Time `json:"as_of"`
	Instance string    `json:"instance"`
	State    []State   `json:"state"`
	// Stores are the files of the storage. Those in the directories were read.
	Stores []Store `json:"stores,omitempty"`
	// Files is how many files were flushed to the disk.
	Files int `json:"files_flushed"`
}

// MemoryOnly returns the components without storage.
func (d *Durability) MemoryOnly() []string {
	return d.names(func(s State) bool { return !s.Storage })
}

// Failing returns the components whose latest write failed.
func (d *Durability) Failing() []string {
	return d.names(func(s State) bool { return s.Failing })
}

// Troubles returns what of the stored state was lost since the start, and which of its files fail or can't be read.
func (d *Durability) Troubles() []string { return troubles(d.State, d.Stores) }

func (d *Durability) names(which func(State) bool) (names []string) {
	for _, s := range d.State {
		if which(s) {
			names = append(names, s.Component)
		}
	}
	return names
}

// ErrStateless is a collector without a component that remembers anything.
var ErrStateless = errors.New("the collector has none of the components that remember: event_router, span_hierarchy, span_to_metrics")

// CheckDurability asks a collector. It flushes the files of the directories to the disk, if there are any, as a storage
// without fsync leaves to the system, and reads them. The error is an [UnreachableError] when the collector can't be asked.
func CheckDurability(ctx context.Context, settings Settings, directories []string) (*Durability, error) {
	now, client, err := settings.prepare()
	if err != nil {
		return nil, err
	}
	o, err := readOwn(ctx, client, settings.Telemetry, now)
	if err != nil {
		return nil, err
	}
	d := &Durability{AsOf: o.at.UTC(), Instance: o.label("service_instance_id"), State: o.states(), Stores: o.stores()}
	if len(d.State) == 0 {
		return nil, &UnreachableError{ErrStateless}
	}
	for _, directory := range directories {
		n, err := flush(directory)
		d.Files += n
		if err != nil {
			return d, err
		}
	}
	if len(directories) > 0 {
		verify(ctx, d.Stores, directories)
	}
	return d, nil
}

// flush makes the system write what it holds of a directory's files.
func flush(directory string) (files int, err error) {
	err = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != directory:
			return nil // a temporary file of a compaction has gone meanwhile
		case err != nil:
			return err
		case entry.IsDir():
			return atomicfile.SyncDirectory(path)
		case !entry.Type().IsRegular():
			return nil
		}
		file, err := regular.Open(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files++
		return errors.Join(file.Sync(), file.Close())
	})
	if err != nil {
		return files, fmt.Errorf("%s was not flushed to the disk: %w", directory, err)
	}
	return files, nil
}
