// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// postEncoded posts a body with an encoding, and reads the answer.
func postEncoded(t *testing.T, r *eventsReceiver, encoding string, body []byte) (status int, a answer) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, r.url(defaultPath), bytes.NewReader(body))
	require.NoError(t, err)
	if encoding != "" {
		request.Header.Set(encodingHeader, encoding)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&a))
	return response.StatusCode, a
}

// Encodings missing in compression_algorithms are refused by name, uncompressed bodies too.
func TestEncodingsOfTheConfiguration(t *testing.T) {
	packed := gzipped(t, good)
	for name, test := range map[string]struct {
		algorithms []string
		encoding   string
		body       []byte
		want       int
		error      string
	}{
		"one of two":          {[]string{"", "gzip"}, "gzip", packed, 200, ""},
		"none of two":         {[]string{"", "gzip"}, "", []byte(good), 200, ""},
		"another":             {[]string{"", "gzip"}, "zstd", packed, 415, `"zstd" is not supported: send the body as it is, or as gzip`},
		"only compressed":     {[]string{"gzip"}, "", []byte(good), 415, "a body must be compressed: send it as gzip"},
		"only otherwise":      {[]string{"gzip"}, "zstd", packed, 415, `"zstd" is not supported: send the body as gzip`},
		"nothing compressed":  {[]string{}, "gzip", packed, 415, `"gzip" is not supported: send the body as it is`},
		"nothing, as it is":   {[]string{}, "", []byte(good), 200, ""},
		"not what it says":    {nil, "gzip", []byte(good), 400, "send a whole body that is gzip"},
		"cut, only that kind": {[]string{"gzip"}, "gzip", packed[:len(packed)-9], 400, "the body could not be read: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, consumertest.NewNop(), func(c *Config) { c.ServerConfig.CompressionAlgorithms = test.algorithms })
			status, a := postEncoded(t, r, test.encoding, test.body)
			assert.Equal(t, test.want, status)
			assert.Contains(t, a.Error, test.error)
		})
	}
}

// A frame with a window larger than any body is refused, whatever its size; those of usual compressors are accepted.
func TestZstdWindow(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(c *Config) { c.ServerConfig.MaxRequestBodySize = 1 << 20 })
	for _, test := range []struct{ window, status int }{{1 << 20, 200}, {8 << 20, 200}, {16 << 20, 400}, {512 << 20, 400}, {8 << 20, 200}} {
		var body bytes.Buffer
		writer, err := zstd.NewWriter(&body, zstd.WithWindowSize(test.window))
		require.NoError(t, err)
		_, err = writer.Write([]byte(good))
		require.NoError(t, err)
		require.NoError(t, writer.Flush()) // otherwise the frame would have its content's size instead
		require.NoError(t, writer.Close())
		status, a := postEncoded(t, r, "zstd", body.Bytes())
		assert.Equal(t, test.status, status, "window %d: %s", test.window, a.Error)
		if test.status != 200 {
			assert.Contains(t, a.Error, "compress it with one of at most 8388608 bytes")
		}
	}
}
