// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	varint "encoding/binary" // binary is the one under test
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNesting: lists nested as deeply as a request allows do not end the process. The OTLP decoder is recursive, and 14 MB
// of them would overflow its stack, which is fatal. otlp_limits rejects nesting before anything is decoded, and larger
// requests before they are read.
func TestNesting(t *testing.T) {
	t.Parallel()
	const limit, overflowing = 4 << 20, 14_500_000
	c := start(t, newSink(t))
	for _, test := range []struct {
		path       string
		size, want int
	}{
		{"/v1/logs", limit - 200, http.StatusBadRequest},
		{"/v1/traces", limit - 200, http.StatusBadRequest},
		{"/v1/logs", overflowing, http.StatusRequestEntityTooLarge},
		{"/v1/traces", overflowing, http.StatusRequestEntityTooLarge},
	} {
		response, err := http.Post("http://"+c.otlpHTTP+test.path, "application/x-protobuf", bytes.NewReader(nested(test.size)))
		require.NoError(t, err, c.output.tail())
		response.Body.Close()
		assert.Equal(t, test.want, response.StatusCode, "%s, %d bytes", test.path, test.size)
	}
	assert.Zero(t, c.stop())
}

// nested returns an OTLP request, of logs or of traces, with an attribute of nested lists, up to a size.
func nested(size int) []byte {
	// Tags of the fields of a request from the outside in: its first resource, that resource, an attribute of it.
	const first, value, list = 1<<3 | 2, 2<<3 | 2, 5<<3 | 2
	var backwards [][]byte
	length := 0
	wrap := func(tag byte) {
		head := varint.AppendUvarint([]byte{tag}, uint64(length))
		backwards = append(backwards, head)
		length += len(head)
	}
	for length < size {
		wrap(first)
		wrap(list)
	}
	wrap(value)
	for range 3 {
		wrap(first)
	}
	slices.Reverse(backwards)
	return bytes.Join(backwards, nil)
}
