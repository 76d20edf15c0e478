// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The README's examples are valid, and their routes have the results of its table.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var cfg, mapped *Config
	for _, block := range yamlBlock.FindAllSubmatch(readme, -1) {
		retrieved, err := confmap.NewRetrievedFromYAML(block[1])
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		section, err := conf.Sub("processors::event_router")
		require.NoError(t, err)
		cfg = createDefaultConfig()
		require.NoError(t, section.Unmarshal(cfg))
		require.NoError(t, xconfmap.Validate(cfg))
		if len(cfg.Routes) == 5 {
			mapped = cfg
		}
	}
	require.NotNil(t, mapped, "an example has the routes of the table")
	cfg = mapped

	table, err := routing.Compile(cfg.Routing())
	require.NoError(t, err)
	for event, want := range map[string]routing.Decision{
		"step.completed":           {Route: "step.completed", Signals: lifecycle.SignalsAll},
		"database.query_executed":  {Route: "database.query_executed", Signals: lifecycle.SignalTraces | lifecycle.SignalMetrics},
		"task.completed":           {Route: "task.completed", Signals: lifecycle.SignalTraces | lifecycle.SignalMetrics},
		"task.before_transition":   {Route: "task.*", Signals: lifecycle.SignalLogs},
		"order.placed":             {Route: "order.*", Signals: lifecycle.SignalMetrics | lifecycle.SignalLogs},
		"registry.stats_collected": {Route: "registry.*", Reason: routing.ReasonDisabled},
		"handler.registered":       {Reason: routing.ReasonNoRoute},
	} {
		got := table.Lookup(event)
		assert.Equal(t, want.Route, got.Route, event)
		assert.Equal(t, want.Signals, got.Signals, event)
		assert.Equal(t, want.Reason, got.Reason, event)
	}
	assert.InDelta(t, 0.01, table.Lookup("database.query_executed").SamplingRate, 0)
}

// The router settings in the operators' documentation are valid.
func TestPages(t *testing.T) {
	sections := 0
	for _, page := range []string{"routing.md", "security.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		require.NoError(t, err)
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			retrieved, err := confmap.NewRetrievedFromYAML(block[1])
			require.NoError(t, err, page)
			conf, err := retrieved.AsConf()
			require.NoError(t, err, page)
			if !conf.IsSet("processors::event_router") {
				continue
			}
			sections++
			section, err := conf.Sub("processors::event_router")
			require.NoError(t, err, page)
			cfg := createDefaultConfig()
			require.NoError(t, section.Unmarshal(cfg), page)
			require.NoError(t, xconfmap.Validate(cfg), page)
		}
	}
	require.Positive(t, sections)
}
