package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

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

func TestValidate(t *testing.T) {
	output, err := validate(t, defaultConfig)
	assert.NoError(t, err, output)
}

// TestValidateNamesEveryMistake: three mistakes in three components are told at once, each with key and value.
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
