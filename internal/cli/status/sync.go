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

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Durability reports whether everything that a collector has acknowledged is stored.
//
// There is nothing to write: a component with storage stores the data of a request before it acknowledges it. So this can
// be checked for everything acknowledged before the query.
type Durability struct {
	// AsOf is the time before which everything acknowledged is stored.
	AsOf     time.Time `json:"as_of"`
	Instance string    `json:"instance"`
	State    []State   `json:"state"`
	// Stores are the storage files. Those in the directories were verified.
	Stores []Store `json:"stores,omitempty"`
	// Files is the number of files flushed to disk.
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

// Problems returns the state lost since startup, and the failing and unreadable files.
func (d *Durability) Problems() []string { return problems(d.State, d.Stores) }

func (d *Durability) names(which func(State) bool) (names []string) {
	for _, s := range d.State {
		if which(s) {
			names = append(names, s.Component)
		}
	}
	return names
}

// ErrStateless is a collector without a component with state.
var ErrStateless = errors.New("the collector has no component with state: event_router, span_hierarchy, span_to_metrics")

// CheckDurability queries a collector. It flushes the files of the directories to disk, which a storage without fsync
// leaves to the system, and verifies them. The error is an [UnreachableError] if the collector cannot be queried.
func CheckDurability(ctx context.Context, settings Settings, directories []string) (*Durability, error) {
	_, o, err := settings.read(ctx)
	if err != nil {
		return nil, err
	}
	d := &Durability{AsOf: o.at.UTC(), Instance: o.resource["service_instance_id"], State: o.states(), Stores: o.stores()}
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

// flush makes the system write a directory's files to disk.
func flush(directory string) (files int, err error) {
	err = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != directory:
			return nil // a temporary file of a compaction that was removed meanwhile
		case err != nil:
			return err
		case entry.IsDir():
			return fsfile.SyncDirectory(path)
		case !entry.Type().IsRegular():
			return nil
		}
		file, err := fsfile.Open(path, os.O_RDWR, 0)
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
		return files, fmt.Errorf("%s was not flushed to disk: %w", directory, err)
	}
	return files, nil
}
