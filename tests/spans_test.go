// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// sendSpans sends each request over OTLP, one after the other.
func (c *collector) sendSpans(requests []ptrace.Traces) {
	c.tb.Helper()
	connection, err := grpc.NewClient(c.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(c.tb, err)
	defer connection.Close()
	client := ptraceotlp.NewGRPCClient(connection)
	for _, td := range requests {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_, err = client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
		cancel()
		require.NoError(c.tb, err)
	}
}

// twoLevels returns a task as traced by Tasker's own subscriber, called by an HTTP request and making a call in each step:
// one span per request.
func twoLevels(task byte, steps int) []ptrace.Traces {
	requests := make([]ptrace.Traces, 0, 2+2*steps)
	add := func(id, parent byte, name string, start, end int) ptrace.Span {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("Tasker")
		span := ss.Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(pcommon.TraceID{1, task})
		span.SetSpanID(pcommon.SpanID{1, id})
		if parent > 0 {
			span.SetParentSpanID(pcommon.SpanID{1, parent})
		}
		span.SetStartTimestamp(pcommon.Timestamp(1e18 + start*1e6))
		span.SetEndTimestamp(pcommon.Timestamp(1e18 + end*1e6))
		requests = append(requests, td)
		return span
	}
	add(1, 0, "POST /orders", 0, 50)
	root := add(2, 1, lifecycle.SpanTask, 10, 1000)
	root.Attributes().PutStr("tasker.task_id", fmt.Sprint(task))
	for i := range byte(steps) {
		start := 20 + 100*int(i)
		step := add(10+i, 2, lifecycle.SpanStep, start, start+90)
		step.Attributes().PutStr("tasker.task_id", fmt.Sprint(task))
		step.Attributes().PutInt("tasker.step_id", int64(i))
		call := add(100+i, 10+i, "GET /stock", start+10, start+20)
		call.Attributes().PutInt("http.response.status_code", 200)
		call.Events().AppendEmpty().SetName("first byte")
	}
	return requests
}

// TestTwoLevelSpans checks that Tasker's own spans get five levels, with any order and batching, and that the application's
// spans pass unchanged.
func TestTwoLevelSpans(t *testing.T) {
	t.Parallel()
	const tasks, steps = 20, 5
	var requests []ptrace.Traces
	for task := range byte(tasks) {
		requests = append(requests, twoLevels(task+1, steps)...)
	}
	sent := map[[2]string]streamtest.Span{}
	for _, td := range requests {
		for _, span := range streamtest.FromTraces(td) {
			sent[[2]string{span.TraceText(), span.SpanText()}] = span
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
	half := len(requests) / 2
	for _, td := range requests[half:] { // half of them in one request
		td.ResourceSpans().MoveAndAppendTo(requests[half].ResourceSpans())
	}
	sink := newSink(t)
	c := start(t, sink)
	c.sendSpans(requests[:half+1])
	want := tasks * (2 + 1 + 4*steps)
	await(t, 30*time.Second, "all spans", func() bool { return sink.spanCount() >= want }, func() any { return sink.spanCount() })
	assert.Zero(t, c.stop())

	got := map[[2]string]streamtest.Span{}
	for _, span := range sink.all() {
		got[[2]string{span.TraceText(), span.SpanText()}] = span
	}
	require.Len(t, sink.all(), want)
	require.Len(t, got, want)
	levels := map[string]int{lifecycle.SpanTask: 2, lifecycle.SpanOrchestration: 3, lifecycle.SpanBatch: 4, lifecycle.SpanStep: 5, lifecycle.SpanHandler: 6}
	for key, span := range got {
		depth := 1
		for up := span; up.ParentID != [8]byte{}; depth++ {
			parent, ok := got[[2]string{up.TraceText(), hex.EncodeToString(up.ParentID[:])}]
			require.True(t, ok, "%s has no parent", up.Name)
			if up.Scope == "Tasker" && levels[up.Name] > 2 {
				require.LessOrEqual(t, parent.Start, up.Start)
				require.GreaterOrEqual(t, parent.End, up.End)
			}
			up = parent
		}
		before, isSent := sent[key]
		if level, ours := levels[span.Name]; ours {
			require.Equal(t, level, depth, span.Name)
			require.Equal(t, !isSent, span.Attributes[lifecycle.AttrSynthesized] == true)
			continue
		}
		require.Equal(t, before, span)
	}
}

// TestCaller checks that a task whose events carry a traceparent is a child of its caller, and so are its records.
func TestCaller(t *testing.T) {
	t.Parallel()
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	lines, _, err := streamtest.Load(streamtest.OrderProcessing)
	require.NoError(t, err)
	for i := range lines {
		lines[i] = bytes.Replace(lines[i], []byte(`{"event":`), []byte(`{"traceparent":"00-`+trace+"-"+caller+`-01","event":`), 1)
	}
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router:
    routes:
      - {event: "task.*", signals: [traces, metrics, logs]}
`)
	c.sendNDJSON(connections, shuffledBatches(lines, 3))
	awaitTasks(t, sink, 1)
	await(t, 10*time.Second, "records", func() bool { return len(sink.allRecords()) > 0 }, func() any { return nil })
	assert.Zero(t, c.stop())

	var task streamtest.Span
	for _, span := range sink.all() {
		require.Equal(t, trace, span.TraceText(), span.Name)
		if span.Name == lifecycle.SpanTask {
			task = span
		}
	}
	require.Equal(t, caller, hex.EncodeToString(task.ParentID[:]))
	for _, r := range sink.allRecords() {
		require.Equal(t, trace, hex.EncodeToString(r.TraceID[:]), r.Event)
		require.Equal(t, task.SpanID, r.SpanID, "the record of the start points at the task's span")
	}
}
