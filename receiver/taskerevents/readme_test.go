// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// The examples of the README are valid configurations.
func TestReadmeExamples(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples := strings.Split(string(text), "```yaml\n")[1:]
	assert.Len(t, examples, 2)
	for _, example := range examples {
		source, _, _ := strings.Cut(example, "```")
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(source))
		require.NoError(t, err)
		all, err := retrieved.AsConf()
		require.NoError(t, err)
		own, err := all.Sub("receivers::tasker_events")
		require.NoError(t, err)
		config := createDefaultConfig().(*Config)
		require.NoError(t, own.Unmarshal(config))
		require.NoError(t, xconfmap.Validate(config))
	}
}
