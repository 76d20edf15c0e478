// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blockOf returns a file with the example in a page that contains a text.
func blockOf(t *testing.T, page, text string) string {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, block := range yamlBlock.FindAllStringSubmatch(string(content), -1) {
		if strings.Contains(block[2], text) {
			path := filepath.Join(t.TempDir(), "example.yaml")
			require.NoError(t, os.WriteFile(path, []byte(block[2]), 0o600))
			return path
		}
	}
	require.Failf(t, "no example", "%s has none with %s", page, text)
	return ""
}

// TestMetricsWithToken checks that with the example of docs/security.md the metrics of workflows require a token, and that
// an export can use it.
func TestMetricsWithToken(t *testing.T) {
	t.Parallel()
	c := startShipped(t, settings{files: []string{"../config.yaml", blockOf(t, "../docs/security.md", "bearertokenauth/metrics")}}.
		with("TASKER_METRICS_TOKEN=readers"))
	get := func(token string) (status int, body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.scrape+"/metrics", http.NoBody)
		require.NoError(t, err)
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	for token, want := range map[string]int{"": http.StatusUnauthorized, "senders": http.StatusUnauthorized, "readers": http.StatusOK} {
		status, body := get(token)
		assert.Equal(t, want, status, "token %q", token)
		assert.Equal(t, want == http.StatusOK, strings.Contains(body, "target_info") || body == "", "token %q: %s", token, body)
	}
	table := filepath.Join(t.TempDir(), "metrics.csv")
	export := []string{"export", "--target", "http://" + c.scrape + "/metrics", "--format", "csv", "--output", table, "--retries", "0"}
	code, _, problems := commandLine(t).run(export...)
	assert.NotZero(t, code)
	assert.Contains(t, problems, `--header "Authorization=Bearer …"`)
	code, _, problems = commandLine(t).run(append(export, "--header", "Authorization=Bearer readers")...)
	assert.Zero(t, code, problems)
	assert.Zero(t, c.stop())
}

// TestZPages checks that the shipped configuration serves zPages to the local machine only, not at the address that
// receives events.
func TestZPages(t *testing.T) {
	t.Parallel()
	pages := freeAddresses(t, 1)[0]
	_, port, _ := strings.Cut(pages, ":")
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml"}}.with("TASKER_ZPAGES=localhost:"+port,
		"TASKER_TRACES_EXPORTER=debug", "TASKER_RECORDS_EXPORTER=debug/records"))
	for _, page := range []string{"servicez", "pipelinez", "extensionz", "featurez"} {
		response, err := http.Get("http://localhost:" + port + "/debug/" + page)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode, page)
	}
	_, err := http.Get("http://" + c.host + ":" + port + "/debug/servicez")
	assert.Error(t, err, "open on another address")
	assert.Zero(t, c.stop())
}
