// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	warns := configFile(t, `
exporters:
  prometheus:
    enable_open_metrics: false
`)
	fails := configFile(t, `
processors:
  span_hierarchy:
    storage: file_storage
`)
	const stock = "../../config.yaml"

	got := execute(t, "", "check", "--config", stock)
	assert.Equal(t, exitOK, got.status, got.err)
	assert.Equal(t, "0 errors, 0 warnings\n", got.out)

	got = execute(t, "", "check", "--config", stock, "--config", warns)
	assert.Equal(t, exitOK, got.status)
	assert.Contains(t, got.out, `warning  exporters::prometheus::enable_open_metrics is "false"`)
	assert.Contains(t, got.out, "0 errors, 1 warning\n")
	assert.Equal(t, exitFailed, execute(t, "", "check", "--config", stock, "--config", warns, "--strict").status)

	got = execute(t, "", "check", "--config", stock, "--config", fails, "--json")
	assert.Equal(t, exitFailed, got.status)
	assert.Empty(t, got.err, "the findings have said it")
	var result checkResult
	require.NoError(t, json.Unmarshal([]byte(got.out), &result))
	require.Len(t, result.Findings, 4)
	assert.Equal(t, 1, result.Errors)
	assert.Equal(t, "processors::span_hierarchy::storage", result.Findings[0].Key)
	assert.Equal(t, "file_storage", result.Findings[0].Value)

	got = execute(t, "", "check", "--config", stock, "--json")
	assert.JSONEq(t, `{"errors":0,"warnings":0,"findings":[]}`, got.out)
}

// A configuration may come from any source that the collector supports.
func TestCheckOfOtherSources(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir("../..")))
	defer server.Close()
	text, err := os.ReadFile("../../config.yaml")
	require.NoError(t, err)
	t.Setenv("TASKER_TEST_CONFIG", string(text))
	for _, source := range []string{server.URL + "/config.yaml", "yaml:" + string(text), "env:TASKER_TEST_CONFIG", "file:../../config.yaml"} {
		got := execute(t, "", "check", "--config", source)
		assert.Equal(t, exitOK, got.status, got.err)
		assert.Equal(t, "0 errors, 0 warnings\n", got.out)
	}
}

func TestCheckOfNothing(t *testing.T) {
	assert.Equal(t, exitUsage, execute(t, "", "check").status)
	assert.Equal(t, exitUsage, execute(t, "", "check", "config.yaml").status)
	got := execute(t, "", "check", "--config", configFile(t, "{}"))
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.err, "service::pipelines")
	assert.Equal(t, exitFailed, execute(t, "", "check", "--config", "no-such-file.yaml").status)
}
