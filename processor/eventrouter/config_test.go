// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := conf.Sub(component.NewIDWithName(component.MustNewType("event_router"), name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, section.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	defaults := load(t, "defaults")
	require.NoError(t, xconfmap.Validate(defaults))
	assert.Equal(t, createDefaultConfig(), defaults)

	rate, off := 0.01, false
	storage := component.MustNewIDWithName("file_storage", "seen")
	all := load(t, "all")
	require.NoError(t, xconfmap.Validate(all))
	assert.Equal(t, &Config{
		Select: "events",
		Routes: []routing.Route{
			{Event: "step.completed", Signals: []string{"traces", "metrics", "logs"}},
			{Event: "database.query_executed", SamplingRate: &rate},
			{Event: "order.*", Signals: []string{"metrics", "logs"}, Priority: "high"},
			{Event: "registry.*", Enabled: &off},
		},
		FilteredEvents: []string{"step.before_transition"}, BuiltinRoutes: true, DefaultSignals: []string{"logs"}, SamplingRate: 0.5,
		Payload:       PayloadConfig{Include: []string{"step_results"}, Only: []string{"step_results", "error_message"}},
		Redaction:     RedactionConfig{Keys: []string{"passw", "iban"}, Mask: "***", Patterns: []string{"bearer_tokens", "email_addresses"}},
		MaxValueBytes: 1024, MaxStructureBytes: 8192, MaxBacktraceLines: 10,
		Deduplicate: DeduplicateConfig{Enabled: true, MaxEntries: 5000, MaxWait: 3 * time.Second}, Storage: &storage,
		Shedding: SheddingConfig{Low: 1000, Normal: 5000, High: 5000},
	}, all)
}

func TestStorageNeedsSomethingToKeep(t *testing.T) {
	cfg := load(t, "all")
	cfg.Deduplicate.Enabled = false
	assert.ErrorContains(t, xconfmap.Validate(cfg), `storage: "file_storage/seen" has nothing to store, because deduplicate::enabled is false`)
}

func TestMaskIsNoSecret(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.Redaction.Mask, cfg.Redaction.Patterns = "hidden@example.com", []string{"email_addresses"}
	assert.ErrorContains(t, xconfmap.Validate(cfg), `redaction::mask: "hidden@example.com" is itself masked by redaction::patterns`)
}

func TestMistakesAreReportedTogether(t *testing.T) {
	cfg := load(t, "mistakes")
	err := xconfmap.Validate(cfg)
	for _, want := range []string{
		`routes[0]::event: "" is not a name`,
		`routes[1]::signals[0]: "spans" is not a signal; use traces, metrics or logs`,
		`routes[1]::sampling_rate: 2 is out of range; use 0 to 1`,
		`filtered_events[0]: "*" drops every event`,
		`sampling_rate: -1 is out of range; use 0 to 1`,
		`payload::include[0]: "task_contxt" is kept anyway; remove it, or use one of "task_context",`,
		`redaction::keys[0]: "" would mask every value`,
		`redaction::keys[1]: "Name" would mask task_name, which names what an event is about; use a longer part`,
		`redaction::patterns[1]: "phone_numbers" is not known; use "bearer_tokens", "card_numbers", "email_addresses" or "url_credentials"`,
		`payload::only[0]: "task_id" is kept anyway, because the collector reads it; remove it`,
		`payload::only[1]: "step_results" is left out unless payload::include names it too`,
		`payload::include[1]: "step_inputs" is left out, because payload::only does not name it`,
		`shedding::low: -1 is negative; use a number above 0, or 0 for never`,
		`shedding::normal: 10 would shed normal events although shedding::low, for those that matter less, is 0; use a number for both`,
		`shedding::high: 5 is less than shedding::normal, although its events matter more; use 10 or more`,
		`max_value_bytes: 3 is too small; use 64 or more`,
		`max_structure_bytes: 0 is too small`,
		`max_backtrace_lines: 0 is too small`,
		`deduplicate::max_entries: 1 is too small; use 1000 or more`,
		`deduplicate::max_wait: 15ns is in nanoseconds, as a number without a unit is; write the unit, such as 10s`,
	} {
		assert.ErrorContains(t, err, want)
	}
	cfg.Deduplicate.MaxWait = -time.Second
	assert.ErrorContains(t, xconfmap.Validate(cfg), `deduplicate::max_wait: -1s is negative; use a duration such as 10s, or 0s to refuse at once`)
	assert.NotContains(t, err.Error(), `"task_contxt" is left out`, "one mistake, one message")
}

func TestSelect(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.Select = "both"
	require.ErrorContains(t, cfg.Validate(), `select: "both" is not known; use "events" or "others"`)
	storage := component.MustNewID("file_storage")
	cfg.Select, cfg.Storage = selectOthers, &storage
	require.ErrorContains(t, cfg.Validate(), `storage: "file_storage" has nothing to store, because select is "others"; remove one of the two`)
}
