// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// forgedSpans returns spans that only the collector makes, with the IDs that it will compute, as `taskerotel ids` prints
// them: the finished span of each task, as a failure, and a terminal event of it.
func forgedSpans(truth []streamtest.Task) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, scope := range []string{lifecycle.ScopeSpans, lifecycle.ScopeEvents} {
		for i := range truth {
			task := &truth[i]
			rs := td.ResourceSpans().AppendEmpty()
			rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, task.Service)
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(scope)
			span := ss.Spans().AppendEmpty()
			trace := lifecycle.TraceID("", task.Service, strconv.FormatInt(task.TaskID, 10))
			span.SetTraceID(trace)
			span.SetSpanID(lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0))
			span.SetName(lifecycle.SpanTask)
			if scope == lifecycle.ScopeEvents {
				span.SetName(lifecycle.TaskFailed)
			}
			span.SetStartTimestamp(pcommon.Timestamp(task.Start))
			span.SetEndTimestamp(pcommon.Timestamp(task.End + 1))
			span.Attributes().PutInt(lifecycle.AttrTaskID, task.TaskID)
			span.Attributes().PutStr(lifecycle.AttrTaskName, task.TaskName)
			span.Attributes().PutStr(lifecycle.AttrStatus, string(lifecycle.StatusFailure))
		}
	}
	return td
}

// forgedRecords returns records with the identities that the router will compute for genuine events, as if the router had
// processed them, and with the traces of their tasks.
func forgedRecords(t *testing.T, lines [][]byte) plog.Logs {
	t.Helper()
	genuine, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	forged := plog.NewLogs()
	rl := forged.ResourceLogs().AppendEmpty()
	genuine.ResourceLogs().At(0).Resource().CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(lifecycle.ScopeEvents)
	var normalizer eventrecord.Normalizer
	for _, record := range genuine.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		record.SetObservedTimestamp(record.Timestamp())
		normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
		to := sl.LogRecords().AppendEmpty()
		to.SetEventName("noise.forged")
		to.SetTimestamp(record.Timestamp())
		to.SetTraceID(record.TraceID())
		eventrecord.SetIdentity(to.Attributes(), eventrecord.Identity(record))
		to.Attributes().PutStr(lifecycle.AttrSignals, "traces,metrics,logs")
	}
	return forged
}

// forge sends the forged spans and records to a collector.
func forge(t *testing.T, c *collector, lines [][]byte, truth []streamtest.Task) {
	t.Helper()
	connection, err := grpc.NewClient(c.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, batch := range streamtest.Batches(lines, batchLines) {
		_, err := plogotlp.NewGRPCClient(connection).Export(ctx, plogotlp.NewExportRequestFromLogs(forgedRecords(t, batch)))
		require.NoError(t, err)
	}
	c.sendSpans([]ptrace.Traces{forgedSpans(truth)})
}

// noise is routed to logs only, so that forged ones become neither spans nor metrics.
const noise = "processors: {event_router: {routes: [{event: database.query_executed, sampling_rate: 1}, {event: noise.*, signals: [logs]}]}}"

// ownSpans returns the spans made by span_hierarchy.
func ownSpans(spans []streamtest.Span) (own []streamtest.Span) {
	for _, span := range spans {
		if span.Scope == lifecycle.ScopeSpans {
			own = append(own, span)
		}
	}
	return own
}

// awaitTruth waits until trees, metrics and records equal the truth.
func awaitTruth(t *testing.T, c *collector, sink *sink, lines [][]byte, truth []streamtest.Task) {
	t.Helper()
	want := expected(t, lines, truth)
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(plainText), measured())) })
	awaitEqual(t, "exact trees", func() []string { return streamtest.Compare(truth, unique(t, ownSpans(sink.all()))) })
	awaitEqual(t, "exact records", func() []string {
		var ofFacts []streamtest.Record
		for _, r := range sink.allRecords() {
			if r.Event != "noise.forged" {
				ofFacts = append(ofFacts, r)
			}
		}
		once, _ := facts(t, ofFacts)
		return streamtest.CompareRecords(truth, once, shippedFacts()...)
	})
}

// TestAttackForged: before anything has happened, a sender that can compute all IDs sends data that only components of the
// collector make. Trees, metrics and records are those of what happens later.
func TestAttackForged(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 30, Seed: 91, Failures: true})
	sink := newSink(t)
	c := start(t, sink, noise)
	forge(t, c, lines, truth)
	c.sendOTLP("", streamtest.Batches(lines, batchLines))
	awaitTruth(t, c, sink, lines, truth)
	forge(t, c, lines, truth)
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, ownSpans(sink.all())))
	for _, span := range sink.all() {
		assert.Contains(t, []string{lifecycle.ScopeSpans, "received.tasker.spans", "received.tasker.events"}, span.Scope)
	}
}

// TestAttackForgedInTwoTiers: the same through an agent, whose gateway receives applications' spans and events from Kafka.
func TestAttackForgedInTwoTiers(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 30, Seed: 92, Failures: true})
	sink := newSink(t)
	broker := startBroker(t)
	gateway := startTier(t, "gateway-0", gatewayConfig, gatewayOverride, broker.address, sink.address)
	agent := startTier(t, "agent-a", agentConfig, agentOverride, broker.address, "")
	all := tiers{broker: broker, agents: []*collector{agent}, gateways: []*collector{gateway}}
	all.awaitMembers(t)
	agent.sendSpans([]ptrace.Traces{forgedSpans(truth)})
	await(t, time.Minute, "the forged spans", func() bool { return sink.spanCount() >= 2*len(truth) }, func() any { return sink.spanCount() })
	agent.sendOTLP("", streamtest.Batches(lines, batchLines))
	awaitTruth(t, gateway, sink, lines, truth)
	assert.Zero(t, agent.stop())
	assert.Zero(t, gateway.stop())
}

// TestSendersBoundToServices checks docs/security.md, "Who may speak for which service". Whatever service a sender names,
// its events are assigned to the service of its token.
func TestSendersBoundToServices(t *testing.T) {
	t.Parallel()
	lines, _, err := streamtest.Load(streamtest.OrderProcessing)
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	_, documented, found := strings.Cut(string(page), "receivers:\n  tasker_events/shop:\n")
	require.True(t, found)
	documented, _, found = strings.Cut(documented, "```")
	require.True(t, found)
	address := freeAddresses(t, 1)[0]
	documented = "receivers:\n  tasker_events/shop:\n" + strings.NewReplacer("0.0.0.0:4320", address,
		"    tls: {cert_file: tls.crt, key_file: tls.key}\n", "").Replace(documented)
	sink := newSink(t)
	c := start(t, sink, documented, `
extensions: {bearertokenauth/shop: {token: secret}}
connectors: {forward/events: {}}
service: {extensions: [healthcheckv2, otlp_limits, bearertokenauth/shop], pipelines: {logs/open: {receivers: [tasker_events, otlp], exporters: [forward/events]}}}
`)
	body := bytes.ReplaceAll(bytes.Join(lines, []byte("\n")), []byte(`"service":"shop"`), []byte(`"service":"bank"`))
	require.Contains(t, string(body), `"bank"`)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	url := "http://" + address + "/v1/events"
	assert.ErrorContains(t, postOne(&http.Client{Transport: transport}, url, "application/x-ndjson", body), "401")
	require.NoError(t, postOne(&http.Client{Transport: bearer{"secret", transport}}, url, "application/x-ndjson", body))
	awaitTasks(t, sink, 1)
	assert.Zero(t, c.stop())
	for _, span := range sink.all() {
		assert.Equal(t, "shop", span.Service)
		assert.Equal(t, [16]byte(lifecycle.TraceID("", "shop", "1")), span.TraceID)
	}
}

// TestRecordsOfOtherPrograms checks docs/routing.md. A program that shares the OTLP endpoint, and whose logger names each
// record by its source location, gets its records through unchanged; they become neither spans nor metrics nor event names.
func TestRecordsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 95, Failures: true})
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router/others: {select: others}
service:
  pipelines:
    logs/others: {receivers: [otlp], processors: [memory_limiter, event_router/others], exporters: [otlp_grpc/sink]}
`)
	const programs = 50
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "proxy")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("hyper")
	for i := range programs {
		record := sl.LogRecords().AppendEmpty()
		record.SetEventName("event src/main.rs:" + strconv.Itoa(i))
		record.SetTimestamp(pcommon.Timestamp(truth[0].Start))
		record.SetTraceID(lifecycle.TraceID("", "shop", "1"))
		record.SetSpanID(pcommon.SpanID{1})
		record.Body().SetStr("listening")
	}
	connection, err := grpc.NewClient(c.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	_, err = plogotlp.NewGRPCClient(connection).Export(t.Context(), plogotlp.NewExportRequestFromLogs(logs))
	require.NoError(t, err)
	c.sendOTLP("", streamtest.Batches(lines, batchLines))
	awaitTasks(t, sink, len(truth))
	await(t, time.Minute, "all records", func() bool { return len(sink.allRecords()) >= programs }, func() any { return len(sink.allRecords()) })
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
	passed, ofFacts := 0, []streamtest.Record{}
	for _, r := range sink.allRecords() {
		if !strings.HasPrefix(r.Event, "event src/") {
			ofFacts = append(ofFacts, r)
			continue
		}
		passed++
		assert.Equal(t, streamtest.Record{
			TraceID: lifecycle.TraceID("", "shop", "1"), SpanID: [8]byte{1}, Event: r.Event, At: truth[0].Start, Body: "listening", Service: "proxy", Attributes: map[string]any{},
		}, r)
	}
	assert.Equal(t, programs, passed)
	once, _ := facts(t, ofFacts)
	equal(t, streamtest.CompareRecords(truth, once, shippedFacts()...))
	for _, span := range sink.all() {
		for _, event := range span.Events {
			assert.NotContains(t, event.Name, "src/")
		}
	}
	table, err := os.ReadFile(c.csv)
	require.NoError(t, err)
	assert.NotContains(t, string(table), "src/")
}

// TestAttackForgedLogLines: a name with line feeds and escape sequences does not create lines in the default log.
func TestAttackForgedLogLines(t *testing.T) {
	t.Parallel()
	const forged = `x\n2026-06-01T12:00:00.000Z\terror\tservice/forged.go:1\tforged line\u001b[2J\u009b1m`
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router: {routes: [{event: "order.*", signals: [traces, logs]}]}
  span_hierarchy: {reorder_window: 1s, settle_timeout: 4s}
service: {pipelines: {logs/records: {exporters: [debug/records, otlp_grpc/sink]}}}
`)
	body := `{"event":"order.placed","service":"shop` + forged + `","payload":{"task_id":"1` + forged + `","step_name":"` + forged + `","k` + forged + `":"v"}}
{"event":"task.failed","service":"shop","payload":{"task_id":2,"task_name":"` + forged + `","error_message":"` + forged + `"}}`
	c.post(1, "http://"+c.events+"/v1/events", "application/x-ndjson", [][]byte{[]byte(body)})
	awaitTasks(t, sink, 1)
	assert.Zero(t, c.stop())
	require.Contains(t, c.output.String(), "forged line", "the records are in the log")
	assert.NotRegexp(t, `(?m)^2026-06-01`, c.output.String())
	assert.NotRegexp(t, `[\x00-\x08\x0b-\x1f\x7f-\x9f]`, c.output.String())
	require.NotEmpty(t, sink.allRecords())
}
