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

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

// copyBytes is about how much one write of a copy has.
const copyBytes = 1 << 20

// watch looks after a file that nobody writes to, and tries again what failed.
func (s *store) watch(ctx context.Context) {
	s.mu.RLock()
	well := s.closed || s.client != nil && s.inPlace() && !s.failing.Load()
	s.mu.RUnlock()
	if !well {
		_ = s.mend(ctx) // it is reported, and tried again
	}
}

// mend makes the client write to the file at the path again.
func (s *store) mend(ctx context.Context) (err error) {
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
		return s.set(ctx, checkKey, rand.Text()) // whether it works again
	case s.inPlace():
		return nil // another request was faster
	case s.databaseInPlace():
		return s.renewLog(ctx)
	}
	return s.rewrite(ctx)
}

func (s *store) set(ctx context.Context, key, value string) (err error) {
	defer guard(&err)()
	return s.client.Set(ctx, key, []byte(value))
}

// renewLog puts a new write-ahead log in place of the one that was removed. What that held is in memory, and goes into the
// database.
func (s *store) renewLog(ctx context.Context) (err error) {
	defer guard(&err)()
	if err := s.client.renew(ctx, s.owner.cfg.FSync); err != nil {
		return err
	}
	s.owner.count(s.name, "")
	s.owner.log.Error("The write-ahead log of a component was removed or replaced under the running collector. What it held was written anew.",
		zap.String("file", s.path))
	return nil
}

// rewrite puts a new file with all that the client holds in place of the one that was removed. What is there instead is set aside.
func (s *store) rewrite(ctx context.Context) error {
	if err := s.makeDirectory(); err != nil {
		return err
	}
	if _, err := os.Lstat(s.path); err == nil {
		if _, err := s.setAside(); err != nil {
			return fmt.Errorf("set aside what is in the place of %s: %w", s.path, err)
		}
	}
	// The client still has its log open, and reads from it; the new one gets a file of its own.
	if err := removeIfThere(writeahead.Path(s.path)); err != nil {
		return fmt.Errorf("begin a write-ahead log beside %s: %w", s.path, err)
	}
	fresh := &store{owner: s.owner, name: s.name, path: s.path, connect: s.connect}
	if err := fresh.open(ctx); err != nil {
		return err
	}
	if err := copyAll(ctx, s.client, fresh.client); err != nil {
		return errors.Join(fmt.Errorf("write %s anew: %w", s.path, err), fresh.client.Close(ctx), removeIfThere(s.path))
	}
	before := s.client
	s.client, s.file = fresh.client, fresh.file
	s.owner.count(s.name, "")
	s.owner.log.Error("The file of a component was removed or replaced under the running collector. It was written anew with all that it held.",
		zap.String("file", s.path), zap.NamedError("closing_the_old_one", before.abandon(ctx)))
	s.identify(ctx, marker{}, false)
	return nil
}

// makeDirectory makes the directory anew, if it may: where it is to be there already it may be a mount that is unavailable.
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

// copyAll writes all that one client holds with another one.
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
