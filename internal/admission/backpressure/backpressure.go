// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package backpressure bounds how long a sender's request waits for room in a full queue.
//
// In the shipped configurations the queues of exporters block when full (block_on_overflow) instead of rejecting: after a
// partial failure span_hierarchy would send a batch again to all exporters of the pipeline. A component with a queue of its
// own can wait for as long as a destination is unavailable. A sender's request cannot, because its client would time out
// and a shutdown would wait for it. It is rejected after MostWait, and the client retries.
package backpressure

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MostWait is the longest wait of a request. It is less than the timeouts of clients and of a shutdown.
const MostWait = 10 * time.Second

// ErrFull is the retryable error of a request that waited for MostWait.
var ErrFull = errors.New("the exporters did not accept it within " + MostWait.String() + ": their queues are full because a destination is slow or unavailable")

// Limit passes data to next with a timeout of MostWait.
func Limit[T any](ctx context.Context, next func(context.Context, T) error, data T) error {
	limited, cancel := context.WithTimeoutCause(ctx, MostWait, ErrFull)
	defer cancel()
	err := next(limited, data)
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(limited), ErrFull) {
		return fmt.Errorf("%w (%v)", ErrFull, err) //nolint:errorlint // not to be mistaken for the sender's deadline
	}
	return err
}
