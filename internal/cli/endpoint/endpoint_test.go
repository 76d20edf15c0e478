// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package endpoint_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]string{
		"":                              "",
		"localhost:8889":                "localhost:8889",
		"http://localhost:8889/metrics": "http://localhost:8889/metrics",
		"https://host/a@b":              "https://host/a@b",
		"https://me:hunter2@host/x":     "https://***@host/x",
		"me:hunter2@host/x":             "***@host/x",
		"https://me:hun/ter2@host:4319/v1/events":   "https://***@host:4319/v1/events",
		"https://me:hunter2%zz@host":                "https://***@host",
		"https://host/x?key=hunter2&tenant=a&debug": "https://host/x?key=***&tenant=***&***",
		"https://host/x?verbose=&b":                 "https://host/x?verbose=&***",
		"https://host/x?hunter2":                    "https://host/x?***",
		"https://host/x?=hunter2":                   "https://host/x?=***",
		"https://host/x#hunter2":                    "https://host/x",
		"dns+http://ann:hunt@er2@h":                 "dns+http://***@h",
		"https://me@host?to=a@b":                    "https://***@host?to=***",
	} {
		assert.Equal(t, want, endpoint.Public(address), address)
	}
}

func TestErrorsQuoteNoSecret(t *testing.T) {
	for _, address := range []string{
		"https://me:hun/ter2@host:4319/", "https://me:hunter2%zz@host", "https://ho st/?key=hunter2", "https://me:hunter2@ho\x01st/", "://me:hunter2@x",
	} {
		_, err := endpoint.Parse(address)
		require.Error(t, err, address)
		for _, part := range []string{"hun", "ter2", "hunter2", "zz"} {
			assert.NotContains(t, err.Error(), part, address)
		}
	}
	_, err := endpoint.Parse("http://host:port")
	require.ErrorContains(t, err, `invalid port ":port" after host`)

	_, err = http.Get("http://127.0.0.1:1/?key=hunter2") //nolint:bodyclose // there is no answer
	require.Error(t, err)
	require.ErrorContains(t, endpoint.Cause(fmt.Errorf("wrapped: %w", err)), "connection refused")
	require.NotContains(t, endpoint.Cause(err).Error(), "hunter2")
	other := errors.New("other")
	require.Equal(t, other, endpoint.Cause(other))
}
