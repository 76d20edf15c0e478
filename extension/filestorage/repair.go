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
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

// copyBytes is the approximate size of one write of a copy.
const copyBytes = 1 << 20

// watch checks a file without writes, and retries a failed repair.
func (s *store) watch(ctx context.Context) {
	s.mu.RLock()
	well := s.closed || s.client != nil && s.inPlace() && !s.failing.Load()
	s.mu.RUnlock()
	if !well {
		_ = s.repair(ctx) // reported and retried
	}
}

// repair makes the client write to the file at the path again.
func (s *store) repair(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	defer func() { s.report(err) }()
	switch {
	case s.client == nil:
		if err := s.open(ctx); err != nil {
			return err
		}
		s.identify(ctx, marker{}, false)
		return nil
	case s.inPlace() && s.failing.Load():
		return s.set(ctx, checkKey, rand.Text()) // to find out whether writes succeed again
	case s.inPlace():
		return nil // another request has repaired it
	case s.databaseInPlace():
		return s.renewLog(ctx)
	}
	return s.rewrite(ctx)
}

func (s *store) set(ctx context.Context, key, value string) (err error) {
	defer guard(&err)()
	return s.client.Set(ctx, key, []byte(value))
}

// renewLog replaces a removed write-ahead log by a new one. The old content is in memory, and goes into the database.
func (s *store) renewLog(ctx context.Context) (err error) {
	defer guard(&err)()
	if err := s.client.renew(ctx, s.owner.cfg.FSync); err != nil {
		return err
	}
	s.owner.count(s.name, "")
	s.owner.log.Error("The write-ahead log of a component was removed or replaced while the collector runs. Its content was written anew.",
		zap.String("file", s.path))
	return nil
}

// rewrite replaces a removed file by a new one with the client's content. Another file at the path is set aside.
func (s *store) rewrite(ctx context.Context) error {
	if err := s.makeDirectory(); err != nil {
		return err
	}
	if _, err := os.Lstat(s.path); err == nil {
		if _, err := s.setAside(); err != nil {
			return fmt.Errorf("set aside the file that replaces %s: %w", s.path, err)
		}
	}
	// The old client still reads from its open log; the new one gets its own file.
	if err := fsfile.Remove(writeahead.Path(s.path)); err != nil {
		return fmt.Errorf("create the write-ahead log of %s: %w", s.path, err)
	}
	fresh := newStore(s.owner, s.name, s.connect)
	if err := fresh.open(ctx); err != nil {
		return err
	}
	if err := copyAll(ctx, s.client, fresh.client); err != nil {
		return errors.Join(fmt.Errorf("write %s again: %w", s.path, err), fresh.client.Close(ctx), fsfile.Remove(s.path))
	}
	before := s.client
	s.client, s.file = fresh.client, fresh.file
	s.owner.count(s.name, "")
	s.owner.log.Error("The file of a component was removed or replaced while the collector runs. It was written anew with its whole content.",
		zap.String("file", s.path), zap.NamedError("closing_the_old_one", before.abandon(ctx)))
	s.identify(ctx, marker{}, false)
	return nil
}

// makeDirectory creates the directory again, if create_directory is set: otherwise it may be an unavailable mount.
func (s *store) makeDirectory() error {
	if _, err := os.Stat(s.owner.cfg.Directory); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !s.owner.cfg.CreateDirectory {
		return fmt.Errorf("the directory %s is gone: bring it back, or set 'create_directory: true'", s.owner.cfg.Directory)
	}
	permissions, err := strconv.ParseUint(s.owner.cfg.DirectoryPermissions, 8, 32)
	if err != nil {
		return fmt.Errorf("'directory_permissions' is %q: %w", s.owner.cfg.DirectoryPermissions, err)
	}
	return os.MkdirAll(s.owner.cfg.Directory, fs.FileMode(permissions))
}

// copyAll copies the content of one client to another.
func copyAll(ctx context.Context, from, to storage.Client) (err error) {
	defer guard(&err)()
	var (
		ops  []*storage.Operation
		size int
	)
	flush := func() error {
		err := to.Batch(ctx, ops...)
		ops, size = ops[:0], 0
		return err
	}
	err = walk(ctx, from, func(key string, value []byte) ([]*storage.Operation, error) {
		ops = append(ops, storage.SetOperation(key, slices.Clone(value)))
		if size += len(key) + len(value); size < copyBytes {
			return nil, nil
		}
		return nil, flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
