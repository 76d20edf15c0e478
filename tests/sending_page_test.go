// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSendingPage runs every command of docs/sending.md in a shell, in the order of the page: the events are accepted and
// counted.
func TestSendingPage(t *testing.T) {
	bash, _ := peer(t, "bash"), peer(t, "curl")
	page, err := os.ReadFile("../docs/sending.md")
	require.NoError(t, err)
	c := start(t, newSink(t))
	addresses := strings.NewReplacer("localhost:4319", c.events, "localhost:4318", c.otlpHTTP, "localhost:8889", c.scrape)
	blocks := strings.Split(string(page), "```sh\n")[1:]
	require.Len(t, blocks, 5)
	events := 0
	for _, block := range blocks {
		script, _, closed := strings.Cut(block, "\n```")
		require.True(t, closed)
		if strings.Contains(script, "/metrics") {
			await(t, 20*time.Second, "count of the events", func() bool {
				answer, err := exec.Command(bash, "-c", addresses.Replace(script)).Output()
				return err == nil && strings.Contains(string(answer), `tasker_events_total{event="step.completed"`)
			}, func() any { return c.output.tail() })
			continue
		}
		answer, err := exec.Command(bash, "-e", "-o", "pipefail", "-c", addresses.Replace(script)).CombinedOutput()
		require.NoError(t, err, "%s\n%s", script, answer)
		events += strings.Count(string(answer), `"refused_count":0`) + strings.Count(string(answer), `"partialSuccess":{}`)
		assert.NotContains(t, string(answer), "error", script)
	}
	assert.Equal(t, 5, events, "accepted requests")
	await(t, 20*time.Second, "step.completed of each way", func() bool {
		for _, s := range c.samples(openMetrics) {
			if s.name == "tasker_events_total" && s.labels["event"] == "step.completed" {
				return s.value == 4
			}
		}
		return false
	}, func() any { body, _ := c.scrapeText(openMetrics); return string(body) })
}
