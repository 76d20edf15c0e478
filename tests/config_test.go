// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func validate(t *testing.T, configs ...string) (output string, err error) {
	t.Helper()
	args := []string{"validate"}
	for _, config := range configs {
		args = append(args, "--config", config)
	}
	text, err := exec.Command(binary, args...).CombinedOutput()
	return string(text), err
}

// combinations are the intended combinations of this repository's configurations, later files merged over earlier ones.
var combinations = [][]string{
	{"config.yaml"},
	{"config.yaml", "examples/send-on.yaml"},
	{"config.yaml", "examples/durable.yaml"},
	{"config.yaml", "examples/json-records.yaml"},
	{"config.yaml", "examples/durable.yaml", "examples/json-records.yaml"},
	{"deploy/otelcol/standalone.yaml", "examples/json-records.yaml"},
	{"config.yaml", "examples/send-on.yaml", "examples/tail-sampling.yaml"},
	{"deploy/otelcol/standalone.yaml", "examples/tail-sampling.yaml"},
	{"deploy/otelcol/gateway.yaml", "examples/tail-sampling.yaml"},
	{"deploy/otelcol/standalone.yaml"},
	{"deploy/otelcol/standalone.yaml", "deploy/otelcol/secure.yaml"},
	{"deploy/otelcol/standalone.yaml", "deploy/otelcol/secure.yaml", "deploy/otelcol/tls.yaml"},
	{"deploy/otelcol/agent.yaml"},
	{"deploy/otelcol/agent.yaml", "deploy/otelcol/secure.yaml", "deploy/otelcol/tls.yaml"},
	{"deploy/otelcol/gateway.yaml"},
}

// TestValidate validates every shipped configuration with the collector, and checks that none is missing here.
func TestValidate(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4328")
	t.Setenv("TASKER_TOKEN", "secret")
	t.Setenv("TASKER_TLS", certificate(t))
	shipped := map[string]bool{"config.yaml": false}
	for _, pattern := range []string{"examples/*.yaml", "deploy/otelcol/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, path := range paths {
			shipped[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))] = false
		}
	}
	delete(shipped, "deploy/otelcol/kustomization.yaml")
	for _, files := range combinations {
		t.Run(strings.Join(files, "+"), func(t *testing.T) {
			var paths []string
			for _, file := range files {
				paths = append(paths, filepath.Join("..", file))
				shipped[file] = true
			}
			output, err := validate(t, paths...)
			assert.NoError(t, err, output)
		})
	}
	for file, validated := range shipped {
		assert.True(t, validated, "%s is in no combination of this test", file)
	}
}

// certificate creates a directory with tls.crt and tls.key.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	directory := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), pem.EncodeToMemory(block), 0o600))
	}
	return directory
}

// TestValidateNamesEveryMistake checks that three mistakes in three components are reported at once, each with key and
// value.
func TestValidateNamesEveryMistake(t *testing.T) {
	mistakes := filepath.Join(t.TempDir(), "mistakes.yaml")
	require.NoError(t, os.WriteFile(mistakes, []byte(`
processors:
  event_router: {default_signals: [tracks]}
  span_hierarchy: {reorder_window: -7s}
connectors:
  span_to_metrics: {metrics_flush_interval: 0s}
`), 0o600))
	output, err := validate(t, defaultConfig, mistakes)
	require.Error(t, err)
	for _, part := range []string{
		"event_router", "default_signals", "tracks",
		"span_hierarchy", "reorder_window", "-7s",
		"span_to_metrics", "metrics_flush_interval", "0s",
	} {
		assert.Contains(t, output, part)
	}
}
