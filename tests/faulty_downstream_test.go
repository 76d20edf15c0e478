// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// faultyStore is a log store that fails on request.
type faultyStore struct {
	plogotlp.UnimplementedGRPCServer
	tb       testing.TB
	address  string
	behavior atomic.Int32
	received atomic.Int64 // accepted records

	mu     sync.Mutex
	server *grpc.Server
}

// Behaviors of a log store.
const (
	healthy  int32 = iota
	refusing       // rejects immediately
	slow           // takes longer than the exporter's timeout, but accepts the records
)

func newFaultyStore(tb testing.TB) *faultyStore {
	tb.Helper()
	s := &faultyStore{tb: tb, address: freeAddresses(tb, 1)[0]}
	s.start()
	tb.Cleanup(s.stop)
	return s
}

func (s *faultyStore) start() {
	s.tb.Helper()
	listener, err := net.Listen("tcp", s.address)
	require.NoError(s.tb, err)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxRequest))
	plogotlp.RegisterGRPCServer(server, s)
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // returns when the server is stopped
}

// stop closes all connections.
func (s *faultyStore) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.Stop()
}

func (s *faultyStore) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	switch s.behavior.Load() {
	case refusing:
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "not now")
	case slow:
		<-ctx.Done() // the exporter has timed out
	}
	s.received.Add(int64(request.Logs().LogRecordCount()))
	return plogotlp.NewExportResponse(), nil
}

// withoutQueue sends records of announcements to the store without a queue, so that the store's response reaches the sender. The
// exporter's timeout is given.
func (s *faultyStore) withoutQueue(timeout time.Duration) string {
	return fmt.Sprintf(`
processors:
  event_router:
    routes:
      - {event: database.query_executed, sampling_rate: 1}
      - {event: task.start_requested, signals: [traces, metrics, logs]}
      - {event: step.execution_requested, signals: [traces, metrics, logs]}
      - {event: step.completed, signals: [traces, metrics, logs]}
      - {event: order.flood, signals: [logs]}
connectors:
  routed_events: {announcements: all}
exporters:
  otlp_grpc/faulty:
    endpoint: %s
    tls: {insecure: true}
    timeout: %s
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
service:
  pipelines:
    logs/records: {exporters: [otlp_grpc/faulty]}
`, s.address, timeout)
}

// checkingSender is a well-behaved sender that checks the responses: each is 2xx, or retryable with a Retry-After.
type checkingSender struct {
	client                *http.Client
	url                   string
	pause                 time.Duration // before it retries
	acknowledged, refused atomic.Int64
}

func (s *checkingSender) send(body []byte, stop <-chan struct{}) error {
	pause := time.NewTicker(s.pause)
	defer pause.Stop()
	for {
		response, err := s.client.Post(s.url, "application/x-ndjson", bytes.NewReader(body))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		switch {
		case err != nil:
			return err
		case response.StatusCode == http.StatusOK:
			s.acknowledged.Add(1)
			return nil
		case response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusTooManyRequests:
			return fmt.Errorf("answered %s: %.300s", response.Status, text)
		}
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
			return fmt.Errorf("answered %s with Retry-After %q", response.Status, response.Header.Get("Retry-After"))
		}
		s.refused.Add(1)
		select {
		case <-stop:
			return nil
		case <-pause.C:
		}
	}
}

// TestFaultyDownstreams checks that a store of records that rejects, dies and is slow makes senders retry, with a retryable
// response each time. When it has recovered every event is counted once, and every tree equals the truth.
func TestFaultyDownstreams(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 150, Seed: 51, Failures: true, SpacingMS: 5})
	batches := streamtest.Batches(lines, 60)
	sink, store := newSink(t), newFaultyStore(t)
	c := start(t, sink, store.withoutQueue(500*time.Millisecond))

	client, done := newClient(connections)
	defer done()
	sender := &checkingSender{client: client, url: "http://" + c.events + "/v1/events", pause: 20 * time.Millisecond}
	stop, work := make(chan struct{}), make(chan []byte)
	var senders sync.WaitGroup
	failed := make(chan error, connections)
	for range connections {
		senders.Go(func() {
			for body := range work {
				if err := sender.send(body, stop); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	// feed lets the senders send that many of the next requests, and returns when they have begun with the last one.
	next := 0
	feed := func(requests int) {
		t.Helper()
		for range requests {
			select {
			case work <- bytes.Join(batches[next], []byte("\n")):
				next++
			case err := <-failed:
				t.Fatal(err)
			}
		}
	}
	// until waits for a counter, and fails at the first response that senders cannot handle.
	until := func(what string, counter *atomic.Int64, target int64) {
		t.Helper()
		await(t, time.Minute, what, func() bool {
			select {
			case err := <-failed:
				t.Fatalf("%s: %v", what, err)
			default:
			}
			return counter.Load() >= target
		}, func() any {
			return fmt.Sprintf("%d acknowledged, %d refused", sender.acknowledged.Load(), sender.refused.Load())
		})
	}
	defer senders.Wait()
	defer close(stop)
	defer close(work)
	part := len(batches) / 6
	feed(part)
	until("requests while all is well", &sender.acknowledged, int64(next))
	for _, broken := range []struct {
		how        string
		begin, end func()
		refusals   int64
	}{
		{"refuses", func() { store.behavior.Store(refusing) }, func() { store.behavior.Store(healthy) }, 30},
		{"is gone", store.stop, store.start, 30},
		{"is slow", func() { store.behavior.Store(slow) }, func() { store.behavior.Store(healthy) }, 2 * connections},
	} {
		broken.begin()
		feed(connections)
		until("refusals by a store that "+broken.how, &sender.refused, sender.refused.Load()+broken.refusals)
		broken.end()
		feed(part)
		until("requests after a store that "+broken.how, &sender.acknowledged, int64(next))
	}
	feed(len(batches) - next)
	until("the other requests", &sender.acknowledged, int64(next))

	awaitTasks(t, sink, len(truth))
	want, metrics := expected(t, lines, truth), measured()
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(plainText), metrics)) })
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
	t.Logf("%d requests, %d refusals, %d records in the store", len(batches), sender.refused.Load(), store.received.Load())
}

// memoryBound is the limit of the test's memory_limiter in MiB.
const memoryBound = 300

// TestFloodStaysWithinMemory checks that, while the store hangs and senders send four times max_in_flight_bytes, which
// would need well over a gigabyte, they are asked to retry, the process stays within its memory limit, and in the end
// everything has arrived.
func TestFloodStaysWithinMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc to know the memory of a process: ", err)
	}
	const senders, itemsPerRequest = 64, 8
	// Each item has values that the router does not cut: half a megabyte.
	values := make([]string, 128)
	for i := range values {
		values[i] = fmt.Sprintf(`"value_%d":%q`, i, strings.Repeat("x", 4000))
	}
	payload := strings.Join(values, ",")
	sink, store := newSink(t), newFaultyStore(t)
	c := start(t, sink, store.withoutQueue(3*time.Second), fmt.Sprintf(`
processors:
  memory_limiter: {check_interval: 50ms, limit_mib: %d, spike_limit_mib: 60}
`, memoryBound))
	before := c.memory("VmRSS")

	client, done := newClient(senders)
	defer done()
	sender := &checkingSender{client: client, url: "http://" + c.events + "/v1/events", pause: 500 * time.Millisecond}
	stop := make(chan struct{})
	failed := make(chan error, senders)
	var group sync.WaitGroup
	store.behavior.Store(slow)
	for i := range senders {
		group.Go(func() {
			var body bytes.Buffer
			for item := range itemsPerRequest {
				fmt.Fprintf(&body, `{"event":"order.flood","id":"%d-%d","payload":{%s}}`+"\n", i, item, payload)
			}
			if err := sender.send(body.Bytes(), stop); err != nil {
				failed <- err
			}
		})
	}
	defer group.Wait()
	defer close(stop)
	progress := func() any {
		return fmt.Sprintf("%d acknowledged, %d refused, %d MiB", sender.acknowledged.Load(), sender.refused.Load(), c.memory("VmHWM")>>20)
	}
	ok := func(reached func() bool) func() bool {
		return func() bool {
			select {
			case err := <-failed:
				t.Fatal(err)
			default:
			}
			return reached()
		}
	}
	await(t, time.Minute, "refusals of each sender", ok(func() bool { return sender.refused.Load() >= 2*senders }), progress)
	store.behavior.Store(healthy)
	await(t, time.Minute, "all requests", ok(func() bool { return sender.acknowledged.Load() == senders }), progress)
	assert.GreaterOrEqual(t, store.received.Load(), int64(senders*itemsPerRequest))
	peak := c.memory("VmHWM")
	t.Logf("%d MiB sent at once, %d refusals; %d MiB before, %d MiB at most", senders*itemsPerRequest*len(payload)>>20,
		sender.refused.Load(), before>>20, peak>>20)
	// The limit applies to the heap; the process also has code, stacks and memory not yet returned by the runtime, which is
	// more if other load delays garbage collection.
	assert.Less(t, peak, int64(3*memoryBound)<<20)
	assert.Zero(t, c.stop())
}

// memory returns a value of the process's memory statistics in bytes.
func (c *collector) memory(figure string) int64 {
	c.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.tb, err)
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, figure+":"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			require.NoError(c.tb, err)
			return kilobytes << 10
		}
	}
	c.tb.Fatalf("no %s of the process", figure)
	return 0
}
