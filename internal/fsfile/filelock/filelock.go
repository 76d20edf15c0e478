// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package filelock lets one process at a time use a file. The lock is the kernel's: it ends with the process, however
// that ends, so a lock file that is left behind is harmless.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/regular"
)

// retryInterval is how often a lock that another process has is tried again.
const retryInterval = 50 * time.Millisecond

// ErrHeld is the error of a lock that another process has.
var ErrHeld = errors.New("in use")

// Lock is a lock that is held.
type Lock struct{ file *flock.Flock }

// Take locks the file, which is created if need be and never removed: a lock on a file that another process removes would
// be worth nothing. A path at which something else than a regular file stands is refused: neither a symbolic link is followed
// nor a pipe waited for. It waits for at most the timeout, and with zero not at all. The holder's note is in the error, which
// is [ErrHeld], and the own one is left for others.
func Take(ctx context.Context, path, note string, timeout time.Duration) (*Lock, error) {
	// flock opens the file itself, and looks at no kind.
	created, err := regular.Open(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%s can't be locked: %w", path, err)
	}
	_ = created.Close() // nothing was written
	file := flock.New(path, flock.SetFlag(os.O_RDONLY|regular.Flags))
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
		return nil, fmt.Errorf("%w: %s is held%s", ErrHeld, path, noteOf(path))
	}
	// The note is for people. On a full disk, or in a file of somebody else, the lock holds without it.
	_ = writeNote(path, note)
	return &Lock{file}, nil
}

// noteOf is the note that the holder wrote, if any.
func noteOf(path string) string {
	const most = 200
	file, err := regular.Open(path, os.O_RDONLY, 0)
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
	file, err := regular.Open(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(note + "\n")
	return errors.Join(err, file.Close())
}

// Release ends the lock.
func (l *Lock) Release() error { return l.file.Unlock() }
