// Package filelock lets one process at a time use a file. The lock is the kernel's: it ends with the process, however
// that ends, so a lock file that is left behind is harmless.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// retryInterval is how often a lock that another process has is tried again.
const retryInterval = 50 * time.Millisecond

// ErrHeld is the error of a lock that another process has.
var ErrHeld = errors.New("in use")

// Lock is a lock that is held.
type Lock struct{ file *flock.Flock }

// Take locks the file, which is created if need be and never removed: a lock on a file that another process removes would
// be worth nothing. It waits for at most the timeout, and with zero not at all. The holder's note is in the error, which
// is [ErrHeld], and the own one is left for others.
func Take(ctx context.Context, path, note string, timeout time.Duration) (*Lock, error) {
	file := flock.New(path)
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
	_ = os.WriteFile(path, []byte(note+"\n"), 0o644)
	return &Lock{file}, nil
}

// noteOf is the note that the holder wrote, if any.
func noteOf(path string) string {
	const most = 200
	content, err := os.ReadFile(path)
	text := strings.TrimSpace(string(content[:min(len(content), most)]))
	if err != nil || text == "" {
		return ""
	}
	return " by " + text
}

// Release ends the lock.
func (l *Lock) Release() error { return l.file.Unlock() }
