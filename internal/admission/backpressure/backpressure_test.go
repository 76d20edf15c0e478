// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package backpressure

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// full is a full queue that blocks as exporterhelper's does.
func full(ctx context.Context, _ int) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestARequestDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := Limit(t.Context(), full, 1)
		require.ErrorIs(t, err, ErrFull)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "that would be the sender's deadline")
		require.Equal(t, MostWait, time.Since(began))
	})
}

func TestTheSendersOwnDeadlineStaysItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := Limit(ctx, full, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ErrFull)
	})
}

func TestAnswersPass(t *testing.T) {
	refused := errors.New("no")
	require.Equal(t, refused, Limit(t.Context(), func(context.Context, int) error { return refused }, 1))
	require.NoError(t, Limit(t.Context(), func(context.Context, int) error { return nil }, 1))
}
