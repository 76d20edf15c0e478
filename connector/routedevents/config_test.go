// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := conf.Sub("routed_events")
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	require.Equal(t, createDefaultConfig(), cfg)

	section, err = conf.Sub("routed_events/lines")
	require.NoError(t, err)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	storage := component.MustNewID("file_storage")
	require.Equal(t, &Config{
		LogBody: "json", EventAttributes: "tree", EventSpans: "batched", Announcements: "once", Records: []string{"task.started", "step.failed"}, MinSeverity: "warn",
		Deduplicate: DeduplicateConfig{MaxEntries: 5000}, Storage: &storage, TrustReceived: true,
	}, cfg)

	wrong := &Config{
		LogBody: "xml", EventAttributes: "few", EventSpans: "one", Announcements: "twice", Records: []string{"step.faild", "step.failed", "step.failed"}, MinSeverity: "loud",
	}
	err = xconfmap.Validate(wrong)
	require.ErrorContains(t, err, `log_body: "xml" is not known; use "message" or "json"`)
	require.ErrorContains(t, err, `event_attributes: "few" is not known; use "all" or "tree"`)
	require.ErrorContains(t, err, `event_spans: "one" is not known; use "each" or "batched"`)
	require.ErrorContains(t, err, `announcements: "twice" is not known; use "once" or "all"`)
	require.ErrorContains(t, err, `records[0]: "step.faild" is not a fact that is recorded once; use "task.started", "task.completed", `)
	require.ErrorContains(t, err, `records[2]: "step.failed" is listed already; remove one of the two`)
	require.ErrorContains(t, err, `min_severity: "loud" is not a severity; use trace, debug, info, warn, error or fatal`)
	require.ErrorContains(t, err, `deduplicate::max_entries: 0 is too small; use 1000 or more`)

	cfg = createDefaultConfig()
	cfg.(*Config).Announcements, cfg.(*Config).Storage = "all", &storage
	require.ErrorContains(t, xconfmap.Validate(cfg), `storage: "file_storage" has nothing to store, because announcements is "all"; remove one of the two`)
}
