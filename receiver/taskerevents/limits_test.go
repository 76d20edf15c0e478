// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// For each limit one request meets it exactly, and the next exceeds it by one.
func TestLimitsToTheByte(t *testing.T) {
	item := func(payload string) string { return `{"event":"e","payload":{` + payload + `}}` }
	nested := func(depth int) string {
		return item(`"a":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2))
	}
	blanks := func(size int) string { return good + strings.Repeat(" ", size-len(good)) }
	for name, test := range map[string]struct {
		encoding     string
		within, over string
		want         int
		error        string
	}{
		"body":           {within: blanks(1000), over: blanks(1001), want: 413, error: "larger than 1000 bytes"},
		"body, gzip":     {encoding: "gzip", within: blanks(1000), over: blanks(1001), want: 413, error: "larger than 1000 bytes"},
		"body, zstd":     {encoding: "zstd", within: blanks(1000), over: blanks(1001), want: 413, error: "larger than 1000 bytes"},
		"body, deflate":  {encoding: "deflate", within: blanks(1000), over: blanks(1001), want: 413, error: "larger than 1000 bytes"},
		"items":          {within: strings.Repeat(item(""), 5), over: strings.Repeat(item(""), 6), want: 413, error: "more than 5 items"},
		"item":           {within: item(strings.Repeat(" ", 200-len(item("")))), over: item(strings.Repeat(" ", 201-len(item("")))), want: 400, error: "longer than 200 bytes"},
		"nesting":        {within: nested(8), over: nested(9), want: 400, error: "deeper than 8 levels"},
		"attributes":     {within: item(`"a":[1,2,3,4,5,6,7]`), over: item(`"a":[1,2,3,4,5,6,7,8]`), want: 400, error: "more than 10 values"},
		"value":          {within: item(`"a":"` + strings.Repeat("x", 100) + `"`), over: item(`"a":"` + strings.Repeat("x", 101) + `"`), want: 400, error: "longer than 100 bytes"},
		"name of a key":  {within: item(`"` + strings.Repeat("x", 100) + `":1`), over: item(`"` + strings.Repeat("x", 101) + `":1`), want: 400, error: "longer than 100 bytes"},
		"name of events": {within: strings.Replace(item(""), `"e"`, `"`+strings.Repeat("e", 100)+`"`, 1), over: strings.Replace(item(""), `"e"`, `"`+strings.Repeat("e", 101)+`"`, 1), want: 400, error: "longer than 100 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, consumertest.NewNop(), func(c *Config) {
				c.ServerConfig.MaxRequestBodySize = 1000
				c.MaxItems, c.MaxItemBytes, c.MaxDepth, c.MaxAttributes, c.MaxValueBytes = 5, 200, 8, 10, 100
			})
			send := func(body string) (int, string) {
				encoded := []byte(body)
				switch test.encoding {
				case "gzip":
					encoded = gzipped(t, body)
				case "zstd":
					encoded = zstandard(t, body)
				case "deflate":
					encoded = deflated(t, body)
				}
				request, err := http.NewRequest("POST", r.url(defaultPath), strings.NewReader(string(encoded)))
				require.NoError(t, err)
				request.Header.Set("Content-Encoding", test.encoding)
				response, err := http.DefaultClient.Do(request)
				require.NoError(t, err)
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				return response.StatusCode, string(text)
			}
			status, text := send(test.within)
			assert.Equal(t, 200, status, text)
			status, text = send(test.over)
			assert.Equal(t, test.want, status, text)
			assert.Contains(t, text, test.error)
		})
	}
}

// A small body that inflates to far more than the limit is refused at the limit.
func TestABombIsNotInflated(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(c *Config) { c.ServerConfig.MaxRequestBodySize = 1 << 20 })
	bomb := gzipped(t, strings.Repeat(" ", 64<<20))
	request, err := http.NewRequest("POST", r.url(defaultPath), strings.NewReader(string(bomb)))
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	assert.Contains(t, decodeAnswer(t, response).Error, "larger than 1048576 bytes")
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
}

// connect opens a connection that the server must close: the test fails if reading from it takes a minute.
func connect(t *testing.T, r *eventsReceiver, sent string) *bufio.Reader {
	t.Helper()
	connection, err := net.Dial("tcp", r.listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(connection, sent)
	require.NoError(t, err)
	return bufio.NewReader(connection)
}

// Connections that send nothing, too little, or stop sending are closed.
func TestStallingSendersAreCutOff(t *testing.T) {
	const short = 50 * time.Millisecond
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", defaultPath, len(good))
	r := start(t, consumertest.NewNop(), func(c *Config) {
		c.ServerConfig.ReadHeaderTimeout, c.ServerConfig.ReadTimeout, c.ServerConfig.IdleTimeout = short, 2*short, short
	})
	t.Run("nothing", func(t *testing.T) {
		_, err := connect(t, r, "").ReadByte()
		assert.ErrorIs(t, err, io.EOF)
	})
	t.Run("half a head", func(t *testing.T) {
		_, err := connect(t, r, head).ReadByte()
		assert.ErrorIs(t, err, io.EOF)
	})
	t.Run("half a body", func(t *testing.T) {
		answered := connect(t, r, head+"\r\n"+good[:10])
		response, err := http.ReadResponse(answered, nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
		assert.Contains(t, decodeAnswer(t, response).Error, "did not come within 100ms")
		_, err = answered.ReadByte()
		assert.ErrorIs(t, err, io.EOF)
	})
	t.Run("idle after a request", func(t *testing.T) {
		answered := connect(t, r, head+"\r\n"+good)
		response, err := http.ReadResponse(answered, nil)
		require.NoError(t, err)
		assert.Equal(t, 1, decodeAnswer(t, response).Accepted)
		_, err = answered.ReadByte()
		assert.ErrorIs(t, err, io.EOF)
	})
}

// The sender of a body that comes more slowly than write_timeout gets an answer.
func TestSlowSendersAreAnswered(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(c *Config) {
		c.ServerConfig.ReadTimeout, c.ServerConfig.WriteTimeout = 3*time.Second, 2*time.Second
	})
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", defaultPath, len(good))
	response, err := http.ReadResponse(connect(t, r, head+good[:10]), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	assert.Contains(t, decodeAnswer(t, response).Error, "did not come within 3s")
}
