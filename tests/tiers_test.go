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
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tasker-otel/otelcol-tasker/internal/streamtest"
)

// The two tiers of deploy/otelcol.
const (
	agentConfig   = "../deploy/otelcol/agent.yaml"
	gatewayConfig = "../deploy/otelcol/gateway.yaml"
)

// agentOverride gives the agents of a test their own addresses; everything else is as it is shipped.
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

// gatewayOverride does the same for gateways. The spans go to the sink.
const gatewayOverride = `
receivers:
  kafka/events: {brokers: [BROKERS], group_instance_id: NAME, heartbeat_interval: 300ms}
  kafka/spans: {brokers: [BROKERS], group_instance_id: NAME, heartbeat_interval: 300ms}
processors:
  span_hierarchy: {reorder_window: 3s}
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
    traces: {exporters: [otlp_grpc/sink, span_to_metrics]}
    logs/records: {exporters: [otlp_grpc/sink]}
`

// startTier runs a collector with a shipped configuration and an override, in which words stand for addresses.
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

// TestTwoTiers: events that come to two agents in any order, some to both, are the same trees and the same numbers at two
// gateways behind Kafka, though all four are killed while tasks are open.
func TestTwoTiers(t *testing.T) {
	const partitions = 6
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "tasker_events", "tasker_spans"))
	require.NoError(t, err)
	defer broker.Close()
	brokers := strings.Join(broker.ListenAddrs(), ",")

	sink := newSink(t)
	gateways := []*collector{
		startTier(t, "gateway-0", gatewayConfig, gatewayOverride, brokers, sink.address),
		startTier(t, "gateway-1", gatewayConfig, gatewayOverride, brokers, sink.address),
	}
	agents := []*collector{
		startTier(t, "agent-a", agentConfig, agentOverride, brokers, ""),
		startTier(t, "agent-b", agentConfig, agentOverride, brokers, ""),
	}
	// A partition that moves takes no open task with it, so both gateways have theirs before the first event.
	awaitMembers(t, brokers, len(gateways), partitions)

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 31, Failures: true, Planned: true})
	var halves [2][][][]byte
	for i, batch := range rough(lines, 32) {
		halves[i%2] = append(halves[i%2], batch)
		if i%resendEvery == 0 { // a sender that got no answer tries the other agent
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
	awaitMembers(t, brokers, len(gateways), partitions)
	for i, agent := range agents {
		agent.sendNDJSON(connections, halves[i][len(halves[i])/2:])
	}
	awaitTasks(t, sink, len(truth))
	for _, agent := range agents {
		assert.Zero(t, agent.stop())
	}

	want := expected(t, lines, truth)
	var differ []string
	await(t, 30*time.Second, "exact metrics", func() bool {
		var samples []sample
		for _, gateway := range gateways {
			samples = append(samples, gateway.samples(openMetrics)...)
		}
		differ = want.differences(collect(samples, measured()))
		return len(differ) == 0
	}, func() any { return strings.Join(differ[:min(20, len(differ))], "\n") })
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
}

// awaitMembers waits until the group that reads the events has its members, and each of them some partitions.
func awaitMembers(t *testing.T, brokers string, members, partitions int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	require.NoError(t, err)
	defer client.Close()
	var now kadm.DescribedGroup
	await(t, 60*time.Second, "assignment of all partitions", func() bool {
		groups, err := kadm.NewClient(client).DescribeGroups(t.Context(), "otelcol-tasker-events")
		if err != nil {
			return false
		}
		now = groups["otelcol-tasker-events"]
		if now.State != "Stable" || len(now.Members) != members {
			return false
		}
		assigned := 0
		for _, member := range now.Members {
			consumer, is := member.Assigned.AsConsumer()
			if !is || len(consumer.Topics) == 0 {
				return false
			}
			for _, topic := range consumer.Topics {
				assigned += len(topic.Partitions)
			}
		}
		return assigned == partitions
	}, func() any { return now })
}
