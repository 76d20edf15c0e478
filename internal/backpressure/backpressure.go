// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package backpressure bounds how long a sender's request waits in front of a full queue.
//
// In the shipped configurations the queues of exporters wait for room (block_on_overflow) instead of refusing: what
// span_hierarchy hands on would otherwise be handed on again to the other exporters of the pipeline, too. A component with a
// queue of its own can wait for as long as the destination is away. A request of a sender can not: its sender would give up
// without an answer, and a stop would wait for it. It is refused after a while, and its sender sends it again.
package backpressure

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MostWait is how long a request waits at most: less than senders wait for an answer, and less than a stop may take.
const MostWait = 10 * time.Second

// ErrFull is the error of a request that waited for that long. Its sender may send it again.
var ErrFull = errors.New("the exporters did not take it within " + MostWait.String() + ": their queues are full, because a destination is slow or away")

// Limit hands data on to next, for MostWait at most.
func Limit[T any](ctx context.Context, next func(context.Context, T) error, data T) error {
	limited, cancel := context.WithTimeoutCause(ctx, MostWait, ErrFull)
	defer cancel()
	err := next(limited, data)
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(limited), ErrFull) {
		return fmt.Errorf("%w (%v)", ErrFull, err) //nolint:errorlint // the deadline is not the sender's
	}
	return err
}
