// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names resolves names.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	texts, known := n[host]
	if !known {
		return nil, errors.New("no such host")
	}
	var found []netip.Addr
	for _, text := range texts {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

func TestTargets(t *testing.T) {
	resolver := names{"collectors": {"10.0.0.2", "10.0.0.1", "::ffff:10.0.0.3", "fd00::1"}, "empty": {}}
	targets, unresolved, err := Targets(t.Context(), resolver, []string{
		"localhost:8889", "http://localhost:8889/metrics", "https://a/other", "dns+http://collectors:8889", "http://10.0.0.1:8889/metrics",
	})
	require.NoError(t, err)
	assert.Equal(t, []Target{
		{URL: "http://localhost:8889/metrics"},
		{URL: "https://a/other"},
		{URL: "http://collectors:8889/metrics", Address: "10.0.0.1:8889"},
		{URL: "http://collectors:8889/metrics", Address: "10.0.0.2:8889"},
		{URL: "http://collectors:8889/metrics", Address: "10.0.0.3:8889"},
	}, targets, "each endpoint once, and each instance by one of its addresses")
	assert.Empty(t, unresolved)

	_, _, err = Targets(t.Context(), resolver, []string{"ftp://a", "", "http://b:port"})
	for _, want := range []string{`"ftp://a": not an HTTP address`, `"": not an HTTP address`, `"http://b:port": not a URL`} {
		assert.ErrorContains(t, err, want)
	}
	for _, spec := range []string{"dns+http://nowhere", "dns+http://empty"} {
		targets, unresolved, err = Targets(t.Context(), resolver, []string{spec, "a:1"})
		require.NoError(t, err)
		assert.Equal(t, []Target{{URL: "http://a:1/metrics"}}, targets, "the others")
		require.Len(t, unresolved, 1)
		assert.Contains(t, unresolved[0].Error(), spec)
	}
	targets, _, err = Targets(t.Context(), names{"c": {"10.0.0.1"}, "six": {"fd00::1"}}, []string{"dns+https://c/x", "dns+six"})
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.1:443", targets[0].Address)
	assert.Equal(t, "[fd00::1]:80", targets[1].Address)
}

// TestCredentialsStayOut checks that a password in an address is sent to the endpoint but not in messages.
func TestCredentialsStayOut(t *testing.T) {
	_, _, err := Targets(t.Context(), nil, []string{"http://ann:s3cret@h:port"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cret")
	_, unresolved, err := Targets(t.Context(), names{}, []string{"dns+http://ann:s3cret@h"})
	require.NoError(t, err)
	assert.NotContains(t, unresolved[0].Error(), "s3cret")
	_, err = client(t, func(s *Settings) { s.Retries = 0 }).Get(t.Context(), Target{URL: "http://ann:s3cret@127.0.0.1:1/metrics?key=s3cret"}, "")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cret")
}

func TestReadFile(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"lines":        {"# ours\nhttp://a:1/metrics\n\n  b:2  # the second\n", []string{"http://a:1/metrics", "b:2"}},
		"file_sd json": {`[{"targets": ["a:1", "b:2"], "labels": {"x": "y"}}, {"targets": ["c:3"]}]`, []string{"a:1", "b:2", "c:3"}},
		"of Windows":   {"\xef\xbb\xbfhttp://a:1/metrics\r\nb:2\r\n", []string{"http://a:1/metrics", "b:2"}},
		"file_sd yaml": {"- targets:\n  - a:1\n", []string{"a:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "targets")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			got, err := ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	path := filepath.Join(t.TempDir(), "targets")
	_, err := ReadFile(path)
	require.ErrorContains(t, err, "cannot read the file of targets")
	require.NoError(t, os.WriteFile(path, []byte("# nobody\n"), 0o600))
	_, err = ReadFile(path)
	require.ErrorContains(t, err, "contains no target")
}

func client(t *testing.T, change func(*Settings)) *Client {
	t.Helper()
	settings := DefaultSettings()
	settings.Backoff, settings.MaxBackoff = time.Microsecond, time.Millisecond
	if change != nil {
		change(&settings)
	}
	c, err := New(settings)
	require.NoError(t, err)
	return c
}

func TestGet(t *testing.T) {
	var requests atomic.Int32
	statuses := map[string][]int{"/busy": {503, 429, 200}, "/gone": {404}, "/locked": {401}, "/down": {500, 500, 500, 500}, "/odd": {302}, "/health": {503}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		assert.Equal(t, "shop", r.Header.Get("X-Scope"))
		assert.Equal(t, "any", r.Header.Get("Accept"))
		w.Header().Set("Content-Type", "text/plain")
		if codes, known := statuses[r.URL.Path]; known {
			w.WriteHeader(codes[min(n, len(codes))-1])
		}
		_, _ = w.Write([]byte("0123456789"))
	}))
	defer server.Close()
	c := client(t, func(s *Settings) { s.Header = http.Header{"X-Scope": {"shop"}}; s.MaxBytes = 10 })
	get := func(path string, accepted ...int) (Answer, error) {
		requests.Store(0)
		return c.Get(t.Context(), Target{URL: server.URL + path}, "any", accepted...)
	}
	answer, err := get("/metrics")
	require.NoError(t, err)
	assert.Equal(t, Answer{Body: []byte("0123456789"), ContentType: "text/plain", Status: 200, Attempts: 1}, answer)
	answer, err = get("/busy")
	require.NoError(t, err)
	assert.Equal(t, 3, answer.Attempts)
	answer, err = get("/down")
	require.ErrorContains(t, err, "500 Internal Server Error (attempts: 4)")
	assert.Equal(t, 4, answer.Attempts)
	for path, want := range map[string]string{"/gone": "check the path", "/locked": "pass credentials", "/odd": "302"} {
		answer, err = get(path)
		require.ErrorContains(t, err, want)
		assert.Equal(t, 1, answer.Attempts, path)
	}
	answer, err = get("/health", 503)
	require.NoError(t, err)
	assert.Equal(t, 503, answer.Status)

	c = client(t, func(s *Settings) { s.Header = http.Header{"X-Scope": {"shop"}}; s.MaxBytes = 9 })
	_, err = get("/metrics")
	require.ErrorContains(t, err, "more than 9 bytes: raise --max-bytes")
	c = client(t, func(s *Settings) { s.Header = http.Header{"X-Scope": {"shop"}}; s.MaxBytes = math.MaxInt64 })
	answer, err = get("/metrics")
	require.NoError(t, err)
	assert.Len(t, answer.Body, 10, "a limit that is none")
}

// TestAddress checks that the connection uses the address and the Host header the name.
func TestAddress(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host)) }))
	defer server.Close()
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	answer, err := client(t, nil).Get(t.Context(), Target{URL: "http://collectors.invalid:8889/metrics", Address: address.Host}, "any")
	require.NoError(t, err)
	assert.Equal(t, "collectors.invalid:8889", string(answer.Body))
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	_, err := client(t, nil).Get(t.Context(), Target{URL: server.URL}, "any")
	require.ErrorContains(t, err, "trust its issuer with --ca-file")
	_, err = client(t, nil).Get(t.Context(), Target{URL: strings.Replace(server.URL, "https", "http", 1)}, "any")
	require.ErrorContains(t, err, "400 Bad Request")

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err = client(t, nil).Get(t.Context(), Target{URL: strings.Replace(plain.URL, "http", "https", 1)}, "any")
	require.ErrorContains(t, err, "the endpoint speaks plain HTTP")
}

func TestEndedContextSaysWhatWasBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.WriteHeader(503)
			return
		}
		cancel(errors.New("the deadline is over"))
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := client(t, nil).Get(ctx, Target{URL: server.URL}, "any")
	require.ErrorContains(t, err, "the deadline is over; before: answered 503")
}

func TestSettings(t *testing.T) {
	_, err := New(Settings{Retries: -1, MaxBackoff: -1})
	for _, flag := range []string{"--timeout: 0s is", "--retries: -1 is", "--backoff: 0s is", "--max-backoff: -1ns is", "--max-bytes: 0 is"} {
		assert.ErrorContains(t, err, flag)
	}
	settings := DefaultSettings()
	settings.TLS.CA = filepath.Join(t.TempDir(), "ca.pem")
	_, err = New(settings)
	require.ErrorContains(t, err, "--ca-file")
	require.NoError(t, os.WriteFile(settings.TLS.CA, []byte("no"), 0o600))
	_, err = New(settings)
	require.ErrorContains(t, err, "contains no certificate in PEM format")
}
