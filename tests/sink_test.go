// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // the exporter's default compression
	"google.golang.org/grpc/status"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// sink is an OTLP server that stores the spans and log records it receives.
type sink struct {
	address string

	mu      sync.Mutex
	spans   []streamtest.Span
	tasks   int // number of task spans
	records []streamtest.Record
	// countOnly discards the spans, for benchmarks.
	countOnly bool
	seen      int
	// onSpans, if set, is called with each request.
	onSpans func(ptrace.Traces)
	// refuses makes it respond to spans with a retryable error.
	refuses atomic.Bool
}

type (
	spanServer struct {
		ptraceotlp.UnimplementedGRPCServer
		*sink
	}
	recordServer struct {
		plogotlp.UnimplementedGRPCServer
		*sink
	}
)

// maxRequest accepts large requests: trees of many tasks may be sent together.
const maxRequest = 64 << 20

func newSink(tb testing.TB) *sink {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s := &sink{address: listener.Addr().String()}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxRequest))
	ptraceotlp.RegisterGRPCServer(server, &spanServer{sink: s})
	plogotlp.RegisterGRPCServer(server, &recordServer{sink: s})
	go func() { _ = server.Serve(listener) }() // returns when the server is stopped
	tb.Cleanup(server.Stop)
	return s
}

func (s *spanServer) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	if s.refuses.Load() {
		return ptraceotlp.NewExportResponse(), status.Error(codes.Unavailable, "not now")
	}
	s.takeSpans(request.Traces())
	return ptraceotlp.NewExportResponse(), nil
}

func (s *sink) takeSpans(td ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen += td.SpanCount()
	s.tasks += taskSpansIn(td)
	if s.onSpans != nil {
		s.onSpans(td)
	}
	if !s.countOnly {
		s.spans = append(s.spans, streamtest.FromTraces(td)...)
	}
}

func taskSpansIn(td ptrace.Traces) int {
	tasks := 0
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if span.Name() == lifecycle.SpanTask {
					tasks++
				}
			}
		}
	}
	return tasks
}

func (s *recordServer) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.takeRecords(request.Logs())
	return plogotlp.NewExportResponse(), nil
}

func (s *sink) takeRecords(ld plog.Logs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, streamtest.FromLogs(ld)...)
}

// taskSpans returns the number of tasks' spans so far.
func (s *sink) taskSpans() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks
}

// all returns the spans so far. They must not be modified.
func (s *sink) all() []streamtest.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spans[:len(s.spans):len(s.spans)]
}

// allRecords returns the log records so far. They must not be modified.
func (s *sink) allRecords() []streamtest.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[:len(s.records):len(s.records)]
}

func (s *sink) spanCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}
