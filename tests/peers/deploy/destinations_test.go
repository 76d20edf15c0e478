// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// destinationVariables determine where traces and records are sent. Each has a default.
var destinationVariables = []string{
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
	"TASKER_TRACES_EXPORTER", "TASKER_RECORDS_EXPORTER",
}

// products are hosts with known signals, with the path of each.
var products = map[string]map[string]string{
	"tempo": {"traces": "/v1/traces"},
	"loki":  {"logs": "/otlp/v1/logs"},
}

// checkDestinations checks that each signal of a collector with standalone.yaml or gateway.yaml is sent to a product that
// accepts it.
func checkDestinations(t *testing.T, name string, environment map[string]string) {
	t.Helper()
	for _, signal := range []struct{ signal, exporter, otlp, log, endpoint string }{
		{"traces", "TASKER_TRACES_EXPORTER", "otlp_http/traces", "debug", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
		{"logs", "TASKER_RECORDS_EXPORTER", "otlp_http/records", "debug/records", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"},
	} {
		exporter, set := environment[signal.exporter]
		if !set {
			exporter = signal.otlp
		}
		if exporter == signal.log {
			continue
		}
		assert.Equal(t, signal.otlp, exporter, "%s: %s", name, signal.exporter)
		address := environment[signal.endpoint]
		if general := environment["OTEL_EXPORTER_OTLP_ENDPOINT"]; address == "" && general != "" {
			address = strings.TrimSuffix(general, "/") + "/v1/" + signal.signal
		}
		to, err := url.Parse(address)
		require.NoError(t, err, name)
		if !assert.NotEmpty(t, to.Host, "%s: %s go nowhere", name, signal.signal) {
			continue
		}
		product, _, _ := strings.Cut(to.Hostname(), ".")
		if takes, known := products[product]; known {
			assert.Equal(t, takes[signal.signal], to.Path, "%s: %s to %s", name, signal.signal, to)
		}
	}
}

// TestDestinationsOfSystemd checks the environment file, and each of the alternatives in its comments.
func TestDestinationsOfSystemd(t *testing.T) {
	text, err := os.ReadFile("systemd/otelcol-tasker.env")
	require.NoError(t, err)
	set, offered := map[string]string{}, map[string]map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^(#?)([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(destinationVariables, line[2]) {
			continue
		}
		if offered[line[2]] == nil {
			offered[line[2]] = map[string]bool{}
		}
		offered[line[2]][line[3]] = true
		if line[1] == "" {
			set[line[2]] = line[3]
		}
	}
	checkDestinations(t, "systemd", set)
	for _, variable := range destinationVariables {
		assert.NotEmpty(t, offered[variable], variable)
	}
	assert.Equal(t, map[string]string{"TASKER_TRACES_EXPORTER": "debug", "TASKER_RECORDS_EXPORTER": "debug/records"}, set,
		"it works where nothing else is installed")
	checkDestinations(t, "systemd with Tempo and Loki", map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://tempo:4318/v1/traces",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":   "http://loki:3100/otlp/v1/logs",
	})
	assert.True(t, offered["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]["http://localhost:4328/v1/traces"])
	assert.True(t, offered["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"]["http://localhost:3100/otlp/v1/logs"])
}
