// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStdinIsGivenWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(rt, "text"), rapid.IntRange(0, 5000).Draw(rt, "times"))
		in := io.Reader(bytes.NewReader(text))
		switch rapid.IntRange(0, 2).Draw(rt, "how") {
		case 1:
			in = iotest.HalfReader(in)
		case 2:
			in = iotest.DataErrReader(in)
		}
		got, err := io.ReadAll(newUntilDone(t.Context(), in))
		require.NoError(rt, err)
		require.True(rt, bytes.Equal(text, got))
	})
	broken := errors.New("broken")
	_, err := io.ReadAll(newUntilDone(t.Context(), iotest.ErrReader(broken)))
	assert.ErrorIs(t, err, broken)
}

// TestCtrlC checks that commands waiting for standard input exit when interrupted, with a message.
func TestCtrlC(t *testing.T) {
	for _, command := range []string{"tree", "simulate"} {
		t.Run(command, func(t *testing.T) {
			pipe, writer := io.Pipe()
			defer writer.Close() //nolint:errcheck // it never fails
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				_, _ = io.WriteString(writer, strings.Repeat(" ", 10))
				cancel(errors.New("interrupt signal received")) // the pending read returns nothing more
			}()
			var out, problems bytes.Buffer
			status := run(ctx, []string{command, "-"}, streams{pipe, &out, &problems, func(string) string { return "" }})
			assert.Equal(t, exitFailed, status)
			assert.Contains(t, problems.String(), "interrupt signal received")
		})
	}
}
