// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	bbolterrors "go.etcd.io/bbolt/errors"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

// Keys of our own in a component's file, which the component does not see.
const (
	ownPrefix = "file_storage/"
	idKey     = ownPrefix + "id"    // the file's, which is also in its marker
	checkKey  = ownPrefix + "check" // written to check that writes reach the file at the path
)

// singleKey implements the operations of storage.Client on one key by Batch.
type singleKey func(ctx context.Context, ops ...*storage.Operation) error

// Get reads one value.
func (batch singleKey) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := batch(ctx, op)
	return op.Value, err
}

// Set writes one value.
func (batch singleKey) Set(ctx context.Context, key string, value []byte) error {
	return batch(ctx, storage.SetOperation(key, value))
}

// Delete removes one value.
func (batch singleKey) Delete(ctx context.Context, key string) error {
	return batch(ctx, storage.DeleteOperation(key))
}

// store is one component's client. Its lock is held for reading to use the client, and for writing to replace it.
type store struct {
	singleKey
	owner   *fileStorage
	name    string
	path    string
	connect func(ctx context.Context) (storage.Client, error) // of contrib's extension

	failing atomic.Bool

	mu     sync.RWMutex
	client *loggedClient // nil while the file cannot be created for lack of space
	file   os.FileInfo   // of the client's file
	closed bool
}

var (
	errClosed  = errors.New("the storage is closed")
	errNotMade = errors.New("the storage could not be made yet")
)

func newStore(owner *fileStorage, name string, connect func(ctx context.Context) (storage.Client, error)) *store {
	s := &store{owner: owner, name: name, path: filepath.Join(owner.cfg.Directory, name), connect: connect}
	s.singleKey = s.Batch
	return s
}

// begin checks the file and opens it. On a full disk a missing file is created later: until then writes fail, so components
// acknowledge nothing and nothing is lost.
func (s *store) begin(ctx context.Context) error {
	m, marked, err := readMarker(s.path)
	if err != nil {
		return fmt.Errorf("read the marker of %s: %w", s.path, err)
	}
	fresh, err := s.inspect(marked)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.open(ctx)
	if fresh && isFull(err) {
		s.report(err)
		return nil
	}
	if err != nil {
		return s.explain(err, m)
	}
	s.identify(ctx, m, marked && !fresh)
	return nil
}

// open makes the client and records its file. It requires s.mu.
func (s *store) open(ctx context.Context) (err error) {
	before, statErr := os.Lstat(s.path)
	client, err := s.connected(ctx)
	if err != nil {
		if isFull(err) && (errors.Is(statErr, fs.ErrNotExist) || statErr == nil && before.Size() == 0) {
			err = errors.Join(err, fsfile.Remove(s.path)) // a partial empty database
		}
		return err
	}
	file, err := os.Stat(s.path)
	if err != nil {
		return errors.Join(err, client.Close(ctx))
	}
	logged, err := s.logged(ctx, client)
	if err != nil {
		return errors.Join(err, client.Close(ctx))
	}
	s.client, s.file = logged, file
	return nil
}

// logged adds the write-ahead log to the database.
func (s *store) logged(ctx context.Context, client storage.Client) (c *loggedClient, err error) {
	defer guard(&err)()
	return openLogged(ctx, client, writeahead.Path(s.path), s.owner.cfg.FSync, s.lost)
}

func (s *store) connected(ctx context.Context) (client storage.Client, err error) {
	defer guard(&err)()
	return s.connect(ctx)
}

// isFull reports whether an error means that the disk is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// explain adds what an error of opening means for the operator.
func (s *store) explain(err error, m marker) error {
	if !errors.Is(err, bbolterrors.ErrTimeout) {
		return fmt.Errorf("open %s: %w", s.path, err)
	}
	holder := ""
	if m.Process != 0 {
		holder = fmt.Sprintf(" (process %d had it last)", m.Process)
	}
	return fmt.Errorf("%s is in use by another process%s: a directory belongs to one collector; give each its own, or stop the other one: %w",
		s.path, holder, err)
}

// identify compares the id in the file with that in its marker, and writes missing ones. expected is true if the marker belongs to
// this file. It requires s.mu.
func (s *store) identify(ctx context.Context, m marker, expected bool) {
	stored, err := s.client.Get(ctx, idKey)
	if expected && err == nil && m.ID != "" && m.ID != string(stored) {
		s.lost("replaced", "another file is in the place of the one that was last in use; it is used as it is")
	}
	next := marker{ID: string(stored), Process: os.Getpid()}
	if next.ID == "" {
		next.ID = rand.Text()
		err = errors.Join(err, s.client.Set(ctx, idKey, []byte(next.ID)))
	}
	if err == nil && next != m {
		err = next.write(s.path)
	}
	if err != nil {
		s.owner.log.Warn("The file of a component could not be marked. If it is missing at the next start, that will not be reported.",
			zap.String("file", s.path), zap.Error(err))
	}
}

// lost reports a loss.
func (s *store) lost(reason, what string) {
	s.owner.count(s.name, reason)
	s.owner.log.Error("The stored state of a component was lost, or part of it: "+what,
		zap.String("file", s.path), zap.String("reason", reason))
}

// report logs and reports when the store begins to fail and when it recovers.
func (s *store) report(err error) {
	if err != nil {
		err = fmt.Errorf("%s can't be written: %w", s.path, err)
	}
	s.owner.health.Set(s, err)
	switch failed := s.failing.Swap(err != nil); {
	case err != nil && !failed:
		s.owner.log.Error("A component's state can't be written; it is retried with each write", zap.Error(err))
	case err == nil && failed:
		s.owner.log.Info("A component's state is written again", zap.String("file", s.path))
	}
}

// Batch reads and writes. A successful write is in the file at its path: if that was removed or replaced, it is first written again
// with its whole content.
func (s *store) Batch(ctx context.Context, ops ...*storage.Operation) error {
	inPlace, err := s.batch(ctx, ops)
	if !inPlace {
		if repairErr := s.repair(ctx); repairErr != nil {
			return errors.Join(err, repairErr)
		}
		if errors.Is(err, errNotMade) {
			_, err = s.batch(ctx, ops)
		}
	}
	if writes(ops) && (err != nil) != s.failing.Load() && !errors.Is(err, errClosed) {
		s.report(err)
	}
	return err
}

// batch uses the client. inPlace is false if its file is no longer at its path, or could not be created yet.
func (s *store) batch(ctx context.Context, ops []*storage.Operation) (inPlace bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	defer guard(&err)()
	switch {
	case s.closed:
		return true, errClosed
	case s.client == nil && !writes(ops):
		return true, nil // a missing file has no values
	case s.client == nil:
		return false, errNotMade
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return true, err
	}
	return !writes(ops) || s.inPlace(), nil
}

func writes(ops []*storage.Operation) bool {
	return slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get })
}

// inPlace reports whether the client's files are still at their paths. It requires s.mu.
func (s *store) inPlace() bool { return s.databaseInPlace() && s.client.inPlace() }

func (s *store) databaseInPlace() bool {
	file, err := os.Lstat(s.path)
	return err == nil && os.SameFile(file, s.file)
}

// Walk visits what the component has stored.
func (s *store) Walk(ctx context.Context, visit storage.WalkFunc) (err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	defer guard(&err)()
	if s.closed {
		return errClosed
	}
	if s.client == nil {
		return nil
	}
	return walk(ctx, s.client, func(key string, value []byte) ([]*storage.Operation, error) {
		if strings.HasPrefix(key, ownPrefix) {
			return nil, nil
		}
		return visit(key, value)
	})
}

func walk(ctx context.Context, client storage.Client, visit storage.WalkFunc) error {
	walker, ok := client.(storage.Walker)
	if !ok {
		return fmt.Errorf("a %T can't list its keys", client)
	}
	return walker.Walk(ctx, visit)
}

// Close releases the file.
func (s *store) Close(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.owner.closed(s)
	if s.client == nil {
		return nil
	}
	defer guard(&err)()
	return s.client.Close(ctx)
}
