// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// compactor is contrib's client. Its own compaction on rebound is switched off: closing a client while a compaction begins
// deadlocks in v0.155.0, because Close holds the lock that the compaction needs and waits for it to end. Here both hold the store's
// lock, so they exclude each other, and the store knows that the file was replaced.
type compactor interface {
	Compact(directory string, timeout time.Duration, maxTransactionSize int64) error
}

const mebibyte = 1 << 20

// errEnough ends a walk.
var errEnough = errors.New("enough was seen")

// compactOnRebound compacts a large file with little in use.
func (s *store) compactOnRebound(ctx context.Context) {
	if !s.rebounded(ctx) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.client == nil || !s.inPlace() {
		return
	}
	if err := s.compact(); err != nil {
		s.owner.log.Warn("A file could not be compacted; it is retried", zap.String("file", s.path), zap.Error(err))
	}
}

// rebounded reports whether the file is larger than one threshold and its part in use smaller than the other.
func (s *store) rebounded(ctx context.Context) bool {
	limits := s.owner.cfg.Compaction
	file, err := os.Stat(s.path)
	if err != nil || file.Size() < limits.ReboundNeededThresholdMiB*mebibyte {
		return false
	}
	used := int64(0)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed || s.client == nil {
		return false
	}
	err = walk(ctx, s.client, func(key string, value []byte) ([]*storage.Operation, error) {
		if used += int64(len(key) + len(value)); used > limits.ReboundTriggerThresholdMiB*mebibyte {
			return nil, errEnough
		}
		return nil, nil
	})
	return err == nil
}

// compact replaces the client's file by a smaller one with the same content. It requires s.mu.
func (s *store) compact() (err error) {
	defer guard(&err)()
	limits := s.owner.cfg.Compaction
	err = s.client.Compact(limits.Directory, s.owner.cfg.Timeout, limits.MaxTransactionSize)
	file, statErr := os.Stat(s.path)
	if statErr == nil {
		s.file = file
	}
	return errors.Join(err, statErr)
}
