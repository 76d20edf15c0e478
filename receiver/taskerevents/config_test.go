// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func load(t *testing.T, id string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	own, err := all.Sub(id)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, own.Unmarshal(config))
	return config
}

func TestConfigDefaults(t *testing.T) {
	config := load(t, "tasker_events")
	require.NoError(t, xconfmap.Validate(config))
	assert.Equal(t, createDefaultConfig(), config)
	assert.Equal(t, "localhost:4319", config.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, "/v1/events", config.Path)
}

func TestConfigAll(t *testing.T) {
	want := createDefaultConfig().(*Config)
	want.ServerConfig.NetAddr.Endpoint = "0.0.0.0:8080"
	want.ServerConfig.MaxRequestBodySize = 1 << 20
	want.ServerConfig.CompressionAlgorithms = []string{"", "gzip"}
	want.Path, want.HealthPath, want.DefaultService = "/ingest/tasker", "/", "shop"
	want.CorrelationIDHeader = "X-Request-ID"
	want.MaxItems, want.MaxItemBytes, want.MaxDepth = 500, 65536, 16
	want.MaxInFlightBytes = 1 << 25
	want.MaxConnections = 50
	want.MaxAttributes, want.MaxValueBytes = 1000, 8192
	want.Payload.Include = []string{"task_context", "step_results"}

	config := load(t, "tasker_events/all")
	require.NoError(t, xconfmap.Validate(config))
	assert.Equal(t, want, config)
}

// Every mistake is named at once, with its key, its value and what to do.
func TestConfigWrong(t *testing.T) {
	config := load(t, "tasker_events/wrong")
	before := *config
	err := config.Validate()
	for _, part := range []string{
		"'endpoint' is empty", `'path' is "v1/{events}/"`, `'health_path' is "v1/{events}/"`, "'default_service' is empty", `'correlation_id_header' is "X Request"`, "'max_items' is 0",
		"'max_item_bytes' is -1", "'max_depth' is 1001", "'max_in_flight_bytes' is 0", "'max_connections' is 0", "'max_attributes' is 0", "'max_value_bytes' is 0", "'max_request_body_size' is -1", "'read_timeout' is 0s",
		"'idle_timeout' is -1s", `'payload::include[1]' is "task_contxt", which is decoded anyway: remove it, or name one of task_context, step_inputs`,
		"'read_header_timeout' is -3s", `'compression_algorithms[1]' is "brotli"`,
	} {
		assert.ErrorContains(t, err, part)
	}
	assert.Equal(t, &before, config, "Validate changes nothing")
}

func TestHealthPathIsNoPathOfEvents(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HealthPath = config.Path
	require.ErrorContains(t, config.Validate(), `'health_path' is "/v1/events", as 'path' is`)
}

func TestEndpoint(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"localhost:4319": true, ":4319": true, "[::1]:4319": true, "0.0.0.0:0": true, "localhost:http": true,
		"localhost": false, "localhost:": false, ":99999": false, "::1:4319": false, "localhost:tasker": false, "http://localhost:4319": false,
	} {
		config := createDefaultConfig().(*Config)
		config.ServerConfig.NetAddr.Endpoint = endpoint
		if err := config.Validate(); want {
			assert.NoError(t, err, endpoint)
		} else {
			assert.ErrorContains(t, err, fmt.Sprintf("'endpoint' is %q: write a host and a port", endpoint))
		}
	}
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Transport, config.ServerConfig.NetAddr.Endpoint = "unix", "/run/tasker.sock"
	assert.NoError(t, config.Validate())
}

func TestPlainPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/events": true, "/events": true, "/v1.2/events": true, "/": false, "": false, "events": false, "/a/": false,
		"/a//b": false, "/a/../b": false, "/{id}": false, "/a b": false, "/a?b": false, "/a%20b": false, "/GET": true,
	} {
		assert.Equal(t, want, plainPath(path), path)
	}
}
