// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openFiles returns how many files the process has open.
func openFiles(t *testing.T, f *files) int {
	t.Helper()
	_, err := f.open.Seek(0, 0)
	require.NoError(t, err)
	names, err := f.open.Readdirnames(-1)
	require.NoError(t, err)
	return len(names)
}

// ended reports whether the peer has closed a connection.
func ended(t *testing.T, c net.Conn) bool {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// Silent connections to servers of the process are closed, longest silent first, and no more than necessary; active ones, and those
// to other processes' servers, stay.
func TestSilentConnectionsAreClosed(t *testing.T) {
	f, err := newFiles()
	require.NoError(t, err)
	if f == nil {
		t.Skip("needs /proc to see the open files")
	}
	defer func() { require.NoError(t, f.close()) }()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	before := openFiles(t, f)
	const connections, surplus = 20, 8
	var silent []net.Conn
	for range connections {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		silent = append(silent, c)
	}
	// Both ends of each belong to this process.
	require.Eventually(t, func() bool { return openFiles(t, f) >= before+2*connections }, time.Minute, time.Millisecond)
	most := openFiles(t, f) - surplus
	closed, last := 0, silent[connections-1]
	require.Eventually(t, func() bool {
		_, err := last.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")) // this one is used
		require.NoError(t, err)
		n, err := f.closeSilent(most + closed) // the client's ends stay open here
		require.NoError(t, err)
		closed += n
		return closed > 0
	}, time.Minute, 20*time.Millisecond)
	n, err := f.closeSilent(1 << 20)
	require.NoError(t, err)
	assert.Zero(t, n, "there are few files")
	gone := 0
	require.Eventually(t, func() bool {
		gone = 0
		for _, c := range silent[:connections-1] {
			if ended(t, c) {
				gone++
			}
		}
		return gone == closed
	}, time.Minute, 5*time.Millisecond)
	assert.LessOrEqual(t, closed, surplus)
	assert.False(t, ended(t, last))
}

// Descriptors that are not connections are ignored.
func TestOtherDescriptorsAreNoSockets(t *testing.T) {
	f, err := newFiles()
	require.NoError(t, err)
	if f == nil {
		t.Skip("needs /proc to see the open files")
	}
	defer func() { require.NoError(t, f.close()) }()
	for _, descriptor := range []int{f.null, f.spare, int(f.open.Fd()), 1 << 20} {
		_, is := socketOf(descriptor)
		assert.False(t, is)
		assert.False(t, f.shut(socket{descriptor: descriptor}))
	}
}
