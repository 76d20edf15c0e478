// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/boltfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

// Store is the file of a component, or of an exporter's queue, in a file_storage.
type Store struct {
	Name string `json:"name"`
	// Failing is true if it cannot be written, or is not at its path.
	Failing bool `json:"failing"`
	// Lost is how often its content was lost completely or partly since startup, by reason.
	Lost map[string]int64 `json:"lost,omitempty"`
	// Restored is how often it was removed while the collector was running, and rewritten.
	Restored int64 `json:"restored,omitempty"`
	// Problem is why it is unreadable; set by sync.
	Problem string `json:"problem,omitempty"`
}

// stores returns the collector's open files, and those with reported losses.
func (o *own) stores() []Store {
	byName := map[string]*Store{}
	of := func(name string) *Store {
		if byName[name] == nil {
			byName[name] = &Store{Name: name}
		}
		return byName[name]
	}
	const metrics = "extension_file_storage_"
	for _, series := range o.series {
		name := series.Labels["store"]
		switch {
		case series.Name == metrics+"failing":
			s := of(name)
			s.Failing = s.Failing || series.Value > 0
		case series.Name == metrics+"lost" && series.Value > 0:
			s := of(name)
			if s.Lost == nil {
				s.Lost = map[string]int64{}
			}
			s.Lost[series.Labels["reason"]] += int64(series.Value)
		case series.Name == metrics+"restored":
			of(name).Restored += int64(series.Value)
		}
	}
	list := []Store{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, *byName[name])
	}
	return list
}

// problem describes the problems of a store; empty if there are none.
func (s *Store) problem() string {
	var parts []string
	if s.Failing {
		parts = append(parts, "cannot be written")
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Lost)) {
		parts = append(parts, fmt.Sprintf("content lost since startup: %s (%d)", reason, s.Lost[reason]))
	}
	if s.Problem != "" {
		parts = append(parts, s.Problem)
	}
	return strings.Join(parts, "; ")
}

// problems returns the problems of the components' states and of their files, one per line.
func problems(states []State, stores []Store) (list []string) {
	for _, s := range states {
		if s.SetAside > 0 {
			list = append(list, fmt.Sprintf("%s: %d segments of its state were unreadable at startup", s.Component, s.SetAside))
		}
	}
	for i := range stores {
		if problem := stores[i].problem(); problem != "" {
			list = append(list, stores[i].Name+": "+problem)
		}
	}
	return list
}

const (
	// checkTries and checkPause bound the verification of a file that is being written.
	checkTries = 20
	checkPause = 50 * time.Millisecond
)

// verify reads the stores' files in the directories. A file that is in none of them is a problem too.
func verify(ctx context.Context, stores []Store, directories []string) {
	for i := range stores {
		stores[i].Problem = "the file does not exist in " + strings.Join(directories, ", ")
		for _, directory := range directories {
			path := filepath.Join(directory, stores[i].Name)
			err := verifyFile(ctx, path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			stores[i].Problem = ""
			if err != nil {
				stores[i].Problem = fmt.Sprintf("%s: %v", path, err)
			}
			break
		}
	}
}

// verifyFile reads a complete file. A file that is continuously written may not be read to its end; what was read was
// valid.
func verifyFile(ctx context.Context, path string) error {
	for try := 0; ; try++ {
		_, err := boltfile.Check(path, func(_, key, value []byte) error {
			if err := journal.CheckSegment(string(key), value); err != nil {
				return &boltfile.DamageError{What: fmt.Sprintf("%s: %v", key, err)}
			}
			return nil
		})
		if err == nil {
			err = verifyLog(path, try == checkTries)
		}
		if !errors.Is(err, boltfile.ErrChanged) {
			return err
		}
		if try == checkTries {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(checkPause):
		}
	}
}

// verifyLog reads the write-ahead log of a file, if it has one, which contains the latest writes. An unreadable part may be
// a pending write and is read again, unless this is the last try.
func verifyLog(database string, last bool) error {
	path := writeahead.Path(database)
	content, err := writeahead.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if content.Damaged && !last {
		return boltfile.ErrChanged
	}
	if content.Damaged {
		return &boltfile.DamageError{What: path + ": a part of the write-ahead log is unreadable"}
	}
	for _, batch := range content.Batches {
		changes, err := writeahead.ReadBatch(batch.Content, 0)
		if err != nil {
			return &boltfile.DamageError{What: fmt.Sprintf("%s: %v", path, err)}
		}
		for _, change := range changes {
			value := batch.Content[change.Value.At:][:change.Value.Size]
			if err := journal.CheckSegment(change.Key, value); err != nil && !change.Delete {
				return &boltfile.DamageError{What: fmt.Sprintf("%s: %s: %v", path, change.Key, err)}
			}
		}
	}
	return nil
}
