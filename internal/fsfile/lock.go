// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// retryInterval is how often a lock held by another process is retried.
const retryInterval = 50 * time.Millisecond

// ErrLocked is the error of a lock held by another process.
var ErrLocked = errors.New("in use")

// Lock is a held lock. It is the kernel's and ends with the process, however that ends, so a leftover lock file is harmless.
type Lock struct{ file *flock.Flock }

// TakeLock locks the file, which is created if necessary and never removed, because a lock on a removed file has no effect. A path that
// is not a regular file is refused: no symbolic link is followed, and a pipe does not block. It waits for at most the timeout, and
// with zero not at all. The error wraps [ErrLocked] and has the holder's note; the own note is written to the file.
func TakeLock(ctx context.Context, path, note string, timeout time.Duration) (*Lock, error) {
	// flock opens the file itself, without a check of its type.
	created, err := Open(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%s can't be locked: %w", path, err)
	}
	_ = created.Close() // nothing was written
	file := flock.New(path, flock.SetFlag(os.O_RDONLY|flags))
	locked, err := file.TryLock()
	if err == nil && !locked && timeout > 0 {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if locked, err = file.TryLockContext(ctx, retryInterval); errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be locked: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: %s is held%s", ErrLocked, path, noteOf(path))
	}
	// The note is for people. On a full disk, or in a file of another owner, the lock works without it.
	_ = writeNote(path, note)
	return &Lock{file}, nil
}

// noteOf returns the note of the holder, if any.
func noteOf(path string) string {
	const most = 200
	file, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // only read
	content, err := io.ReadAll(io.LimitReader(file, most))
	text := strings.TrimSpace(string(content))
	if err != nil || text == "" {
		return ""
	}
	return " by " + text
}

func writeNote(path, note string) error {
	file, err := Open(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(note + "\n")
	return errors.Join(err, file.Close())
}

// Release ends the lock.
func (l *Lock) Release() error { return l.file.Unlock() }
