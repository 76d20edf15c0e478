// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// ask sends a request without a body and returns the status and the body of the answer.
func ask(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestHealthPath(t *testing.T) {
	r := start(t, failing(t, errors.New("the queue is full")), nil)
	status, body := ask(t, "GET", r.url("/health"))
	assert.Equal(t, 200, status)
	assert.Equal(t, "ok\n", body)
	status, _ = ask(t, "HEAD", r.url("/health"))
	assert.Equal(t, 200, status)
	response, err := http.Post(r.url("/health"), "application/json", strings.NewReader(good))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, 404, response.StatusCode, "it takes no events")
	status, _ = ask(t, "GET", r.url(defaultPath))
	assert.Equal(t, 405, status)

	r = start(t, consumertest.NewNop(), func(c *Config) { c.HealthPath = "/" })
	status, _ = ask(t, "GET", r.url("/"))
	assert.Equal(t, 200, status, "some balancers ask for the root only")
	status, _ = ask(t, "GET", r.url("/health"))
	assert.Equal(t, 404, status)

	r = start(t, consumertest.NewNop(), func(c *Config) { c.HealthPath = "" })
	status, _ = ask(t, "GET", r.url("/health"))
	assert.Equal(t, 404, status)
}

// Load balancers have no token.
func TestHealthPathNeedsNoToken(t *testing.T) {
	r := startAuthenticated(t, bearertokenauthextension.NewFactory(), "token: t0ken")
	status, _ := ask(t, "GET", r.url("/health"))
	assert.Equal(t, 200, status)
	status, _ = ask(t, "GET", r.url(defaultPath))
	assert.Equal(t, 401, status)
}
