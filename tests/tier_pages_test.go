// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// namedGateway gives one of two gateways a name, and shortens its rebalancing.
const namedGateway = `
receivers:
  kafka/events: {group_instance_id: %[1]s, heartbeat_interval: 300ms}
  kafka/spans: {group_instance_id: %[1]s, heartbeat_interval: 300ms}
service: {telemetry: {resource: {attributes: [{name: service.instance.id, value: %[1]s}]}}}
`

// pageOf returns the content of a page.
func pageOf(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	return string(text)
}

// tasksOn returns the keys of the tasks on a page.
func tasksOn(t *testing.T, pages string) (keys []string) {
	t.Helper()
	var answer struct {
		Tasks []struct {
			Key string `json:"key"`
		} `json:"tasks"`
	}
	require.NoError(t, json.Unmarshal([]byte(pageOf(t, "http://"+pages+"/api/v1/tasks?limit=1000")), &answer))
	for _, task := range answer.Tasks {
		keys = append(keys, task.Key)
	}
	return keys
}

// TestTierPages checks that in two tiers each gateway shows its name and its own tasks, that no task is on both, and that
// together they are complete. The agent reports that it forwards events.
func TestTierPages(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 98, Failures: true})
	b := startBroker(t)
	brokers := "KAFKA_BROKERS=" + b.address
	free := freeAddresses(t, 3)
	var collectors []*shipped
	gateways := map[string]string{"gateway-1": free[0], "gateway-2": free[1]}
	for name, pages := range gateways {
		overlay := filepath.Join(t.TempDir(), "named.yaml")
		require.NoError(t, os.WriteFile(overlay, fmt.Appendf(nil, namedGateway, name), 0o600))
		collectors = append(collectors, startShipped(t, settings{files: []string{gatewayConfig, overlay}}.with(brokers, "TASKER_PAGES="+pages,
			"TASKER_TRACES_EXPORTER=debug", "TASKER_RECORDS_EXPORTER=debug/records")))
	}
	agent := startShipped(t, settings{files: []string{agentConfig, "../deploy/otelcol/secure.yaml"}}.with(brokers, "TASKER_PAGES="+free[2]))
	b.awaitMembers(t, len(gateways))
	agent.send(lines)

	var on map[string][]string // gateways by task
	await(t, 2*time.Minute, "all tasks on the pages of the gateways", func() bool {
		on = map[string][]string{}
		for name, pages := range gateways {
			for _, key := range tasksOn(t, pages) {
				on[key] = append(on[key], name)
			}
		}
		return len(on) >= len(truth)
	}, func() any { return len(on) })
	shown := map[string]int{}
	for key, names := range on {
		assert.Len(t, names, 1, key)
		shown[names[0]]++
	}
	assert.Len(t, on, len(truth))
	assert.Len(t, shown, len(gateways), "each has some: %v", shown)
	for name, pages := range gateways {
		text := pageOf(t, "http://"+pages+"/")
		assert.Contains(t, text, "The tasks of this collector <code>"+name+"</code>")
		assert.Contains(t, text, "Another gateway shows its own.")
	}
	assert.Empty(t, tasksOn(t, free[2]))
	assert.Contains(t, pageOf(t, "http://"+free[2]+"/collector"), "An agent only forwards events: see the pages of the gateway.")
	assert.Zero(t, agent.stop())
	for _, c := range collectors {
		assert.Zero(t, c.stop())
	}
}
