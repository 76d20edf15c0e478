// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheDefaultsAreValid(t *testing.T) {
	require.NoError(t, createDefaultConfig().(*Config).Validate())
}

// All mistakes are reported at once, with key, value and remedy.
func TestEveryMistakeIsNamed(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = ""
	cfg.RefreshInterval = 10 * time.Millisecond
	cfg.MaxViewers, cfg.RecentTasks, cfg.RecentBytes = -1, -2, -3
	cfg.OwnMetrics = "localhost:8888"
	cfg.AllowedHosts = []string{"ok.example.com", "http://x/"}
	cfg.Links = []Link{{Name: "", URL: "https://x/{trace}"}, {Name: "x", URL: "javascript:alert({trace_id})"}}
	err := cfg.Validate()
	for _, want := range []string{
		`endpoint: "" is not an address`, "refresh_interval: 10ms is too small; use 100ms or more", "max_viewers: -1 is negative", "recent_tasks: -2 is negative",
		"recent_bytes: -3 is negative", `own_metrics: "localhost:8888" is not an HTTP address`, `allowed_hosts[1]: "http://x/" is not a host's name`, `links[0]::name: "" is not a text`,
		`links[0]::url: "https://x/{trace}" has {trace}, which is not known; use {trace_id}`, `links[1]::url: "javascript:alert({trace_id})" is not an HTTP address`,
	} {
		require.ErrorContains(t, err, want)
	}
	cfg = createDefaultConfig().(*Config)
	cfg.RefreshInterval = 15
	require.ErrorContains(t, cfg.Validate(), "refresh_interval: 15ns is in nanoseconds")
}

func TestLinksAreFilledAndEscaped(t *testing.T) {
	values := linkValues{trace: "0af7", task: "1", name: "a&b", service: `"><script>`, start: 5, end: 7}
	links := []Link{
		{"trace", "https://tempo/{trace_id}?from={start_ms}&to={end_ms}"}, {"logs", "https://loki/?q={service}&n={task_name}"},
		{"none", "https://x/{correlation_id}"},
	}
	require.Equal(t, []outLink{
		{"trace", "https://tempo/0af7?from=5&to=7"}, {"logs", "https://loki/?q=%22%3E%3Cscript%3E&n=a%26b"},
	}, values.fill(links))
}
