// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/writeahead"
)

const (
	// tokenKey holds the token of the log whose batches are not in the database yet. Without it there is no such log.
	tokenKey = ownPrefix + "log"
	// foldBytes is the size from which a log is folded into the database. Keys deleted before that never reach the database.
	foldBytes = 32 << 20
	// foldKeys is the number of changed keys from which a log is folded, because they are in memory.
	foldKeys = 1 << 17
	// foldAtOnce is the approximate size of a fold's transaction.
	foldAtOnce = 1 << 20
	// mostLogged is the size of a log that cannot be folded, as on a full disk, from which writes are refused.
	mostLogged = 64 << 20
)

// loggedClient puts a write-ahead log in front of contrib's client: a write costs one append to a file instead of a transaction of
// the database, which writes several pages. When the log has grown, its current values go into the database.
//
// A client that is closed leaves no log behind: its file is then the one of contrib's file_storage.
type loggedClient struct {
	singleKey
	inner storage.Client
	path  string // of the log

	mu      sync.Mutex
	log     *writeahead.Log
	pending map[string]writeahead.Change // not in the database yet
	batch   []byte                       // buffer for the next one
	foldAt  int64                        // size of the log, and number of pending keys, from which it is folded
	keysAt  int
	// stale means that the database may have another token than the log, so that nothing may be appended.
	stale bool
}

func openLogged(ctx context.Context, inner storage.Client, path string, fsync bool, lost func(reason, what string)) (*loggedClient, error) {
	token, err := inner.Get(ctx, tokenKey)
	if err != nil {
		return nil, err
	}
	_, statErr := os.Lstat(path)
	log, content, err := writeahead.Open(path, fsync)
	if err != nil {
		return nil, fmt.Errorf("open the write-ahead log: %w", err)
	}
	c := &loggedClient{inner: inner, path: path, log: log, pending: map[string]writeahead.Change{}, foldAt: foldBytes, keysAt: foldKeys}
	c.singleKey = c.Batch
	switch {
	case token == nil, log.Headed() && content.Token != string(token):
		// The file's content is in the database already.
	case os.IsNotExist(statErr):
		lost("missing", "its write-ahead log is gone, and with it what was written last")
	case content.Size == 0:
		lost("empty", "its write-ahead log is empty, and what was written last is gone")
	case !log.Headed():
		lost("damaged", "its write-ahead log can't be read, and what was written last is gone")
	default:
		if content.Damaged {
			lost("damaged", "a part of its write-ahead log can't be read")
		}
		return c, c.replay(ctx, content, lost)
	}
	c.stale = true // until there is room on the disk
	if err := c.restart(ctx); err != nil && !isFull(err) {
		return nil, errors.Join(fmt.Errorf("begin the write-ahead log: %w", err), log.Close())
	}
	return c, nil
}

// replay reads the batches that an earlier process left in the log.
func (c *loggedClient) replay(ctx context.Context, content writeahead.Content, lost func(reason, what string)) error {
	for _, batch := range content.Batches {
		if err := c.take(batch.Content, batch.At); err != nil {
			content.Damaged = true
			lost("damaged", "a batch in its write-ahead log can't be read: "+err.Error())
		}
	}
	if content.Damaged || c.grown() {
		if err := c.fold(ctx); err != nil && !isFull(err) {
			return errors.Join(err, c.log.Close())
		}
	}
	return nil
}

// take records the changes of a batch of the log. After an error nothing has changed.
func (c *loggedClient) take(content []byte, at int64) error {
	changes, err := writeahead.ReadBatch(content, at)
	if err != nil {
		return err
	}
	for _, change := range changes {
		c.pending[change.Key] = change
	}
	return nil
}

// Batch reads and writes, in order.
func (c *loggedClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.read(ctx, ops); err != nil {
		return err
	}
	return c.write(ctx, ops)
}

// read sets the values of the operations that read. They see earlier writes of the same call.
func (c *loggedClient) read(ctx context.Context, ops []*storage.Operation) (err error) {
	var missing []*storage.Operation
	for i, op := range ops {
		if op.Type != storage.Get {
			continue
		}
		latest, known := c.pending[op.Key]
		before := latestWrite(ops[:i], op.Key)
		switch {
		case before != nil && before.Type == storage.Set:
			op.Value = append([]byte{}, before.Value...)
		case before != nil, known && latest.Delete:
			op.Value = nil
		case !known:
			missing = append(missing, op)
		default:
			if op.Value, err = c.log.Value(latest.Value); err != nil {
				return fmt.Errorf("read from the write-ahead log: %w", err)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return c.inner.Batch(ctx, missing...)
}

func latestWrite(ops []*storage.Operation, key string) *storage.Operation {
	for _, op := range slices.Backward(ops) {
		if op.Type != storage.Get && op.Key == key {
			return op
		}
	}
	return nil
}

func (c *loggedClient) write(ctx context.Context, ops []*storage.Operation) error {
	if !writes(ops) {
		return nil
	}
	if c.stale || c.log.Size() >= mostLogged {
		if err := c.fold(ctx); err != nil {
			return err
		}
	}
	c.batch = writeahead.NewBatch(c.batch, ops)
	at, err := c.log.Append(c.batch)
	if isFull(err) && c.fold(ctx) == nil { // folding may free space
		at, err = c.log.Append(c.batch)
	}
	if err != nil {
		return fmt.Errorf("append to the write-ahead log: %w", err)
	}
	writeahead.Changes(ops, at, func(change writeahead.Change) { c.pending[change.Key] = change })
	if cap(c.batch) > 2*foldAtOnce {
		c.batch = nil
	}
	if c.grown() {
		if err := c.fold(ctx); err != nil { // the batch is in the log and therefore durable
			c.foldAt, c.keysAt = c.log.Size()+foldBytes, len(c.pending)+foldKeys
		}
	}
	return nil
}

// grown reports whether the log should be folded.
func (c *loggedClient) grown() bool { return c.log.Size() >= c.foldAt || len(c.pending) >= c.keysAt }

// fold writes the log's content into the database, and restarts the log.
func (c *loggedClient) fold(ctx context.Context) error {
	err := c.settle(ctx)
	if err == nil {
		err = c.restart(ctx)
	}
	if err != nil {
		return fmt.Errorf("fold the write-ahead log into the database: %w", err)
	}
	return nil
}

// settle writes the log's content into the database, in key order, which is faster there. It may be repeated until the log is
// restarted.
func (c *loggedClient) settle(ctx context.Context) error {
	var ops []*storage.Operation
	size := 0
	for _, key := range slices.Sorted(maps.Keys(c.pending)) {
		latest := c.pending[key]
		if latest.Delete {
			ops = append(ops, storage.DeleteOperation(key))
			continue
		}
		value, err := c.log.Value(latest.Value)
		if err != nil {
			return err
		}
		ops = append(ops, storage.SetOperation(key, value))
		if size += len(value); size >= foldAtOnce {
			if err := c.inner.Batch(ctx, ops...); err != nil {
				return err
			}
			ops, size = ops[:0], 0
		}
	}
	if len(ops) == 0 {
		return nil
	}
	return c.inner.Batch(ctx, ops...)
}

// restart gives the log and the database a new token; the database must have the log's content. Whenever the process ends, the
// database either has the token of a log with the missing changes, or misses nothing. A file without a head gets one first, so that
// a database with a token has a log.
func (c *loggedClient) restart(ctx context.Context) error {
	clear(c.pending)
	token := rand.Text()
	headed := c.log.Headed()
	if !headed {
		c.stale = true
		if err := c.log.Restart(token); err != nil {
			return err
		}
	}
	if err := c.inner.Set(ctx, tokenKey, []byte(token)); err != nil {
		return err
	}
	c.stale = true
	if headed {
		if err := c.log.Restart(token); err != nil {
			return err
		}
	}
	c.stale, c.foldAt, c.keysAt = false, foldBytes, foldKeys
	return nil
}

// confirm makes both heads of the database's file refer to the latest state, so that one damaged head loses nothing: contrib's
// client writes the other head even on a read.
func (c *loggedClient) confirm(ctx context.Context) {
	_, _ = c.inner.Get(ctx, tokenKey) // without it, the written data is still in the file
}

// renew creates a log to replace one whose file is gone.
func (c *loggedClient) renew(ctx context.Context, fsync bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.settle(ctx); err != nil { // from the unlinked file
		return err
	}
	log, _, err := writeahead.Open(c.path, fsync)
	if err != nil {
		return err
	}
	before := c.log
	c.log, c.stale = log, true
	return errors.Join(before.Close(), c.restart(ctx))
}

// inPlace reports whether the log is still at its path.
func (c *loggedClient) inPlace() bool { return c.log.InPlace() }

// Walk visits the keys of the database and the log, in no order. The visitor's operations are executed at the end.
func (c *loggedClient) Walk(ctx context.Context, visit storage.WalkFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ops []*storage.Operation
	enough := false
	see := func(key string, value []byte) error {
		more, err := visit(key, value)
		if ops = append(ops, more...); errors.Is(err, storage.SkipAll) {
			enough = true
		}
		return err
	}
	err := walk(ctx, c.inner, func(key string, value []byte) ([]*storage.Operation, error) {
		if _, changed := c.pending[key]; changed || key == tokenKey {
			return nil, nil
		}
		return nil, see(key, value)
	})
	for key, latest := range c.pending {
		if err != nil || enough {
			break
		}
		if latest.Delete {
			continue
		}
		var value []byte
		if value, err = c.log.Value(latest.Value); err == nil {
			err = see(key, value)
		}
	}
	if err != nil && !errors.Is(err, storage.SkipAll) {
		return err
	}
	return c.write(ctx, ops)
}

// Compact replaces the database's file by a smaller one with the same content.
func (c *loggedClient) Compact(directory string, timeout time.Duration, maxTransactionSize int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	inner, ok := c.inner.(compactor)
	if !ok {
		return errors.New("the client can't be compacted")
	}
	return inner.Compact(directory, timeout, maxTransactionSize)
}

// Close writes the log's content into the database and removes the log. If that fails, as on a full disk, the log stays for the
// next start.
func (c *loggedClient) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.settle(ctx)
	if err == nil {
		err = c.inner.Delete(ctx, tokenKey)
	}
	closed := c.log.Close()
	if err == nil {
		c.confirm(ctx)
		closed = errors.Join(closed, fsfile.Remove(c.path))
	}
	return errors.Join(closed, c.inner.Close(ctx))
}

// abandon closes the client without a change to any file, because another client has replaced it.
func (c *loggedClient) abandon(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.log.Close(), c.inner.Close(ctx))
}
