// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// The two tiers of deploy/otelcol.
const (
	agentConfig   = "../deploy/otelcol/agent.yaml"
	gatewayConfig = "../deploy/otelcol/gateway.yaml"
)

// agentOverride sets the addresses of the agents in a test; everything else is as shipped.
const agentOverride = `
receivers:
  tasker_events: {endpoint: EVENTS}
  otlp: {protocols: {grpc: {endpoint: GRPC}, http: {endpoint: HTTP}}}
processors:
  event_router:
    default_signals: [traces, metrics]
    routes: [{event: database.query_executed, sampling_rate: 1}]
exporters:
  kafka: {brokers: [BROKERS]}
extensions:
  healthcheckv2: {http: {endpoint: HEALTH}}
  file_storage: {directory: DATA, compaction: {directory: DATA}}
service: {telemetry: {metrics: {level: none, readers: []}}}
`

// gatewayOverride does the same for gateways. The spans are sent to the sink.
const gatewayOverride = `
receivers:
  kafka/events: {brokers: [BROKERS], group_instance_id: NAME, heartbeat_interval: 300ms}
  kafka/spans: {brokers: [BROKERS], group_instance_id: NAME, heartbeat_interval: 300ms}
processors:
  # One agent is sent its half after the other, and all four are started again in between, on a busy machine.
  span_hierarchy: {reorder_window: 20s, settle_timeout: 90s}
connectors:
  span_to_metrics: {metrics_flush_interval: 500ms}
exporters:
  prometheus: {endpoint: SCRAPE}
  otlp_grpc/sink:
    endpoint: SINK
    tls: {insecure: true}
    sending_queue: {storage: file_storage}
    retry_on_failure: {max_elapsed_time: 0s}
extensions:
  healthcheckv2: {http: {endpoint: HEALTH}}
  file_storage: {directory: DATA, compaction: {directory: DATA}}
service:
  telemetry:
    resource: {attributes: [{name: service.instance.id, value: NAME}]}
    metrics: {level: none, readers: []}
  pipelines:
    traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events]}
    logs/records: {exporters: [otlp_grpc/sink]}
`

// startTier runs a collector with a shipped configuration and an override, in which placeholders stand for addresses.
func startTier(t *testing.T, name, config, override, brokers, sink string) *collector {
	t.Helper()
	free := freeAddresses(t, 5)
	c := &collector{tb: t, events: free[0], otlp: free[1], scrape: free[3], health: free[4]}
	text := strings.NewReplacer("EVENTS", free[0], "GRPC", free[1], "HTTP", free[2], "SCRAPE", free[3], "HEALTH", free[4],
		"BROKERS", brokers, "SINK", sink, "DATA", t.TempDir(), "NAME", name).Replace(override)
	path := filepath.Join(t.TempDir(), "override.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c.launch("--config", config, "--config", path)
	return c
}

// tiers are two agents and two gateways around a broker, which ends with the test.
type tiers struct {
	broker           *broker
	agents, gateways []*collector
}

func startTiers(t *testing.T, sink *sink) tiers {
	t.Helper()
	broker := startBroker(t)
	brokers := broker.address
	all := tiers{
		broker: broker,
		gateways: []*collector{
			startTier(t, "gateway-0", gatewayConfig, gatewayOverride, brokers, sink.address),
			startTier(t, "gateway-1", gatewayConfig, gatewayOverride, brokers, sink.address),
		},
		agents: []*collector{
			startTier(t, "agent-a", agentConfig, agentOverride, brokers, ""),
			startTier(t, "agent-b", agentConfig, agentOverride, brokers, ""),
		},
	}
	all.awaitMembers(t)
	return all
}

// TestTwoTiers checks that events received by two agents in any order, some by both, become the true trees and metrics at
// two gateways behind Kafka, although all four are killed while tasks are open.
func TestTwoTiers(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	all := startTiers(t, sink)
	agents, gateways := all.agents, all.gateways

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 31, Failures: true, Planned: true})
	var halves [2][][][]byte
	for i, batch := range shuffledBatches(lines, 32) {
		halves[i%2] = append(halves[i%2], batch)
		if i%resendEvery == 0 { // a sender without a response tries the other agent
			halves[(i+1)%2] = append(halves[(i+1)%2], batch)
		}
	}
	for i, agent := range agents {
		agent.sendNDJSON(connections, halves[i][:len(halves[i])/2])
		agent.kill() // what it acknowledged may not be in Kafka yet
	}
	for _, gateway := range gateways {
		gateway.kill()
	}
	all.awaitMembers(t)
	for i, agent := range agents {
		agent.sendNDJSON(connections, halves[i][len(halves[i])/2:])
	}
	awaitTasks(t, sink, len(truth))
	for _, agent := range agents {
		assert.Zero(t, agent.stop())
	}

	want := expected(t, lines, truth)
	awaitEqual(t, "exact metrics", func() []string {
		var samples []sample
		for _, gateway := range gateways {
			samples = append(samples, gateway.samples(openMetrics)...)
		}
		return want.differences(collect(samples, measured()))
	})
	for i, gateway := range gateways {
		measured := false
		for _, s := range gateway.samples(openMetrics) {
			if s.name == "tasker_task_executions_total" {
				measured = true
				assert.Equal(t, fmt.Sprintf("gateway-%d", i), s.labels["instance"])
			}
		}
		assert.True(t, measured, "gateway %d measured nothing", i)
		assert.Zero(t, gateway.stop())
	}
	equal(t, streamtest.Compare(truth, unique(t, sink.all())))
	once, _ := facts(t, sink.allRecords())
	equal(t, streamtest.CompareRecords(truth, once, shippedFacts()...))
}

// TestTwoTiersOfSpans checks that Tasker's own spans and those of applications, received by two agents alternately, are
// combined at the gateway of their trace and get five levels.
func TestTwoTiersOfSpans(t *testing.T) {
	t.Parallel()
	const tasks, steps = 12, 3
	sink := newSink(t)
	all := startTiers(t, sink)
	var requests [2][]ptrace.Traces
	for task := range byte(tasks) {
		for i, request := range twoLevels(task+1, steps) {
			requests[i%2] = append(requests[i%2], request)
		}
	}
	for i, agent := range all.agents {
		agent.sendSpans(requests[i])
	}
	want := tasks * (2 + 1 + 4*steps)
	await(t, 60*time.Second, "all spans", func() bool { return sink.spanCount() >= want }, func() any { return sink.spanCount() })
	for _, c := range append(all.agents, all.gateways...) {
		assert.Zero(t, c.stop())
	}
	type key struct {
		trace [16]byte
		span  [8]byte
	}
	got, roots := map[key]bool{}, 0
	for _, span := range sink.all() {
		got[key{span.TraceID, span.SpanID}] = true
	}
	assert.Len(t, sink.all(), want)
	assert.Len(t, got, want)
	for _, span := range sink.all() {
		if span.ParentID == [8]byte{} {
			roots++
			continue
		}
		assert.True(t, got[key{span.TraceID, span.ParentID}], "%s has no parent", span.Name)
	}
	assert.Equal(t, tasks, roots)
}

// awaitMembers waits until both groups have a member at each gateway, each with partitions: a moving partition does not
// move open tasks.
func (all tiers) awaitMembers(t *testing.T) {
	t.Helper()
	all.broker.awaitMembers(t, len(all.gateways))
}

func (b *broker) awaitMembers(t *testing.T, gateways int) {
	t.Helper()
	for _, group := range []string{"otelcol-tasker-events", "otelcol-tasker-spans"} {
		var now consumerGroup
		await(t, 60*time.Second, "assignment of all partitions to "+group, func() bool {
			now = b.group(t, group)
			return now == consumerGroup{State: "Stable", Members: gateways, Partitions: partitions}
		}, func() any { return now })
	}
}
