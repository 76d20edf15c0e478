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
	want.Path, want.OTLPPath, want.HealthPath, want.DefaultService = "/ingest/tasker", "/ingest/otlp", "/", "shop"
	want.CorrelationIDHeader = "X-Request-ID"
	want.MaxItems, want.MaxItemBytes, want.MaxDepth = 500, 65536, 16
	want.MaxInFlightBytes = 1 << 25
	want.MaxConnections = 50
	want.MaxAttributes, want.MaxValueBytes = 1000, 8192
	want.LogRecords = "batched"
	want.Payload.Include, want.Payload.Decode = []string{"task_context", "step_results"}, "used"

	config := load(t, "tasker_events/all")
	require.NoError(t, xconfmap.Validate(config))
	assert.Equal(t, want, config)
}

// All mistakes are reported at once, each with key, value and remedy.
func TestConfigWrong(t *testing.T) {
	config := load(t, "tasker_events/wrong")
	before := *config
	err := config.Validate()
	for _, part := range []string{
		`endpoint: "" is not an address`, `path: "v1/{events}/" is not an absolute path`, `otlp_path: "v1/{logs}/" is not`, `health_path: "v1/{events}/" is not`, `default_service: "" is not a name`, `correlation_id_header: "X Request" is not a name`, "max_items: 0 is too small; use 1 or more",
		"max_item_bytes: -1 is", "max_depth: 1001 is", "max_in_flight_bytes: 0 is", "max_connections: 0 is", "max_attributes: 0 is", "max_value_bytes: 0 is", "max_request_body_size: -1 is", "read_timeout: 0s is",
		"idle_timeout: -1s is", `payload::include[1]: "task_contxt" is decoded anyway; remove it, or use one of "task_context", "step_inputs"`,
		`log_records: "single" is not known; use "auto", "each" or "batched"`, `payload::decode: "some" `, "read_header_timeout: -3s is", `compression_algorithms[1]: "brotli" is not known`,
	} {
		assert.ErrorContains(t, err, part)
	}
	assert.Equal(t, &before, config, "Validate changes nothing")
}

func TestPathsDiffer(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HealthPath = config.Path
	require.ErrorContains(t, config.Validate(), `health_path: "/v1/events" is the path of events too`)
	config = createDefaultConfig().(*Config)
	config.OTLPPath, config.HealthPath = config.Path, "/v1/logs"
	require.EqualError(t, config.Validate(), `otlp_path: "/v1/events" is the path of events too; use another path, such as "/v1/logs", or "" for none`)
	config.OTLPPath = "/v1/logs"
	require.ErrorContains(t, config.Validate(), `health_path: "/v1/logs" is the path of events too`)
	config.OTLPPath = ""
	require.NoError(t, config.Validate())
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
			assert.ErrorContains(t, err, fmt.Sprintf("endpoint: %q is not an address to listen on; use a host and a port", endpoint))
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
