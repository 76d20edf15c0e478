// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	peerTasks  = 2000
	peerRounds = 4
	peerBatch  = 512
)

// usage is the resource usage of a process: total CPU time and peak resident memory.
type usage struct {
	cpu time.Duration
	rss int64 // KiB
}

// BenchmarkPeers compares the whole process with stock collectors (tests/peers/collector, TASKER_STOCK) that receive the
// same stream, over the same number of connections, in alternation:
//
//	floor       OTLP protobuf logs to nop
//	p1          our finished spans as OTLP → batch → spanmetrics → prometheus, and OTLP out
//	p2          OTLP logs → batch → signal_to_metrics → deltatocumulative → prometheus
//	ndjson      ours: NDJSON → trees over OTLP, metrics, records
//	otlp        ours: OTLP logs to tasker_events → the same
//	receiver    ours: OTLP logs to the otlp receiver → the same
//
// CPU is the median over the rounds per event of the stream, also in p1, which receives spans; rss is the median in MiB.
func BenchmarkPeers(b *testing.B) {
	stock := os.Getenv("TASKER_STOCK")
	if stock == "" {
		b.Skip("the stock collector is an optional peer: make bench builds it and sets TASKER_STOCK")
	}
	stock, err := filepath.Abs(stock)
	require.NoError(b, err)
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: peerTasks, Seed: 21, Failures: true})
	ndjson, logs, named := bodiesOf(lines, peerBatch), otlpLogs(b, lines, false), otlpLogs(b, lines, true)
	spans, finished := finishedSpans(b, ndjson)

	peers := []struct {
		name string
		run  func() usage
	}{
		{"floor", func() usage { return stockUsage(b, stock, stockFloor, "/v1/logs", logs, 0) }},
		{"p1", func() usage { return stockUsage(b, stock, stockSpans, "/v1/traces", spans, finished) }},
		{"p2", func() usage { return stockUsage(b, stock, stockLogs, "/v1/logs", named, 0) }},
		{"ndjson", func() usage {
			return ownUsage(b, func(c *collector) {
				c.post(benchConnections, "http://"+c.events+"/v1/events", "application/x-ndjson", ndjson)
			})
		}},
		{"otlp", func() usage {
			return ownUsage(b, func(c *collector) {
				c.post(benchConnections, "http://"+c.events+"/v1/logs", "application/x-protobuf", logs)
			})
		}},
		{"receiver", func() usage {
			return ownUsage(b, func(c *collector) {
				c.post(benchConnections, "http://"+c.otlpHTTP+"/v1/logs", "application/x-protobuf", logs)
			})
		}},
	}
	used := map[string][]usage{}
	for b.Loop() {
		for range peerRounds {
			for _, peer := range peers {
				used[peer.name] = append(used[peer.name], peer.run())
			}
		}
	}
	perEvent := map[string]float64{}
	for _, peer := range peers {
		cpu, rss := medians(used[peer.name])
		perEvent[peer.name] = float64(cpu.Nanoseconds()) / 1e3 / float64(len(lines))
		b.ReportMetric(perEvent[peer.name], peer.name+"-µs/event")
		b.ReportMetric(float64(rss)/1024, peer.name+"-MiB")
	}
	b.ReportMetric(perEvent["ndjson"]/(perEvent["p1"]+perEvent["p2"]), "ndjson/(p1+p2)")
	b.ReportMetric(perEvent["ndjson"]/perEvent["floor"], "ndjson/floor")
	b.ReportMetric(perEvent["otlp"]/perEvent["ndjson"], "otlp/ndjson")
	b.ReportMetric(0, "ns/op") // meaningless here
}

// stockConfig is the common configuration of the stock collectors.
const stockConfig = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
processors:
  batch:
  deltatocumulative:
connectors:
  spanmetrics:
    dimensions: [{name: tasker.task_name}, {name: tasker.step_name}, {name: tasker.status}]
    exemplars: {enabled: true}
  signal_to_metrics:
    logs:
      - name: tasker.events
        unit: "{event}"
        attributes: [{key: event.name}]
        sum: {value: "1"}
      - name: tasker.task.executions
        unit: "{task}"
        conditions: ['event_name == "task.completed" or event_name == "task.failed"']
        attributes: [{key: tasker.task_name}, {key: tasker.to_state}]
        sum: {value: "1"}
      - name: tasker.step.executions
        unit: "{step}"
        conditions: ['event_name == "step.completed" or event_name == "step.failed"']
        attributes: [{key: tasker.step_name}, {key: tasker.event_type}]
        sum: {value: "1"}
      - name: tasker.step.duration
        unit: s
        conditions: ['event_name == "step.completed" or event_name == "step.failed"']
        attributes: [{key: tasker.step_name, optional: true}]
        histogram: {value: 'Double(attributes["tasker.execution_duration"])', count: "1"}
      - name: tasker.errors
        unit: "{error}"
        conditions: ['event_name == "step.failed"']
        attributes: [{key: tasker.step_name}, {key: tasker.error_class}]
        sum: {value: "1"}
      - name: tasker.step.retries
        unit: "{retry}"
        conditions: ['event_name == "step.execution_requested" and attributes["tasker.attempt_number"] > 1']
        attributes: [{key: tasker.step_name}]
        sum: {value: "1"}
exporters:
  nop:
  prometheus: {endpoint: %[3]s}
  otlp_grpc: {endpoint: %[4]s, tls: {insecure: true}, compression: none}
extensions:
  healthcheckv2: {use_v2: true, http: {endpoint: %[2]s, status: {enabled: true, path: /health/status}}}
service:
  extensions: [healthcheckv2]
  telemetry: {metrics: {level: none}}
  pipelines: {%[5]s}
`

// The pipelines of the stock collectors.
const (
	stockFloor = `logs: {receivers: [otlp], exporters: [nop]}`
	stockSpans = `traces: {receivers: [otlp], processors: [batch], exporters: [spanmetrics, otlp_grpc]},
    metrics: {receivers: [spanmetrics], exporters: [prometheus]}`
	stockLogs = `logs: {receivers: [otlp], processors: [batch], exporters: [signal_to_metrics]},
    metrics: {receivers: [signal_to_metrics], processors: [deltatocumulative], exporters: [prometheus]}`
)

func medians(used []usage) (cpu time.Duration, rss int64) {
	var times []time.Duration
	var sizes []int64
	for _, u := range used {
		times, sizes = append(times, u.cpu), append(sizes, u.rss)
	}
	slices.Sort(times)
	slices.Sort(sizes)
	return (times[(len(times)-1)/2] + times[len(times)/2]) / 2, (sizes[(len(sizes)-1)/2] + sizes[len(sizes)/2]) / 2
}

// ownUsage returns the resource usage of a new collector of ours until its exit.
func ownUsage(b *testing.B, feed func(*collector)) usage {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	c := start(b, sink, "exporters: {otlp_grpc/sink: {compression: none}}", "connectors: {span_to_metrics: {metrics_flush_interval: 5s}}", profiling(b))
	before := c.cpuTime()
	feed(c)
	used := c.stopAndMeasure(before)
	require.Greater(b, sink.spanCount(), peerTasks*4, "too few spans for what was sent")
	return used
}

// stockUsage returns the resource usage of a new stock collector until its exit, after it has exported that many spans.
func stockUsage(b *testing.B, program, pipelines, path string, requests [][]byte, spans int) usage {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	free := freeAddresses(b, 3)
	config := filepath.Join(b.TempDir(), "stock.yaml")
	require.NoError(b, os.WriteFile(config, fmt.Appendf(nil, stockConfig, free[0], free[1], free[2], sink.address, pipelines), 0o600))
	c := &collector{tb: b, health: free[1]}
	c.launchAs(exec.Command(program, "--config", config))
	before := c.cpuTime()
	c.post(benchConnections, "http://"+free[0]+path, "application/x-protobuf", requests)
	used := c.stopAndMeasure(before)
	require.Equal(b, spans, sink.spanCount())
	return used
}

// stopAndMeasure stops the process and returns its resource usage.
func (c *collector) stopAndMeasure(before time.Duration) usage {
	c.tb.Helper()
	rss := c.peakRSS()
	require.Zero(c.tb, c.stop())
	return usage{c.totalTime() - before, rss}
}

// peakRSS returns the peak resident memory of the running process in KiB.
func (c *collector) peakRSS() int64 {
	c.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.tb, err)
	_, behind, found := strings.Cut(string(text), "VmHWM:")
	require.True(c.tb, found, "%s", text)
	size, err := strconv.ParseInt(strings.Fields(behind)[0], 10, 64)
	require.NoError(c.tb, err)
	return size
}

// otlpLogs returns the stream as sent by an application with an SDK. For signal_to_metrics, which counts by attributes
// only, the event name is also an attribute.
func otlpLogs(b *testing.B, lines [][]byte, named bool) (requests [][]byte) {
	b.Helper()
	for _, batch := range streamtest.Batches(lines, peerBatch) {
		ld, err := streamtest.ToLogs(batch, "")
		require.NoError(b, err)
		for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			if named {
				record.Attributes().PutStr("event.name", record.EventName())
			}
		}
		body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
		require.NoError(b, err)
		requests = append(requests, body)
	}
	return requests
}

// finishedSpans returns our collector's spans for the stream as requests, and their number.
func finishedSpans(b *testing.B, bodies [][]byte) (requests [][]byte, spans int) {
	b.Helper()
	sink := newSink(b)
	var all []ptrace.Traces
	sink.onSpans = func(td ptrace.Traces) { all = append(all, td) }
	c := start(b, sink)
	c.post(benchConnections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
	require.Zero(b, c.stop())
	next := ptrace.NewTraces()
	flush := func() {
		body, err := ptraceotlp.NewExportRequestFromTraces(next).MarshalProto()
		require.NoError(b, err)
		requests, next = append(requests, body), ptrace.NewTraces()
	}
	for _, td := range all {
		td.ResourceSpans().MoveAndAppendTo(next.ResourceSpans())
		if next.SpanCount() >= peerBatch {
			flush()
		}
	}
	if next.SpanCount() > 0 {
		flush()
	}
	return requests, sink.spanCount()
}
