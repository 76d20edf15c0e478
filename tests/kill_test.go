// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// killedBatch is the number of events per request: so small that many requests are pending at each kill.
const killedBatch = 250

// durable returns examples/durable.yaml with a directory of the test. The sink's queue is in memory.
func durable(t testing.TB) []string {
	t.Helper()
	example, err := os.ReadFile("../examples/durable.yaml")
	require.NoError(t, err)
	return []string{string(example), fmt.Sprintf("extensions: {file_storage: {directory: %q, fsync: false}}", t.TempDir())}
}

// patient waits for events that arrive late on a busy machine, after a restart that may take seconds.
const patient = "processors: {span_hierarchy: {reorder_window: 6s}}"

// queueOnDisk persists the sink's queue, so that no tree needs to be emitted again because of it.
const queueOnDisk = `
processors:
  span_hierarchy: {emit_again_within: 0s}
exporters:
  otlp_grpc/sink:
    sending_queue: {storage: file_storage}
    retry_on_failure: {max_elapsed_time: 0s}
`

// kill kills the process with SIGKILL and restarts it.
func (c *collector) kill() {
	c.tb.Helper()
	require.NoError(c.tb, c.cmd.Process.Signal(syscall.SIGKILL))
	<-c.exited
	c.relaunch()
}

// relaunch restarts an ended process with the same configuration.
func (c *collector) relaunch() {
	c.tb.Helper()
	c.launch(c.cmd.Args[1:]...)
}

// TestKill kills the process at random moments while senders are active. They resend what was not acknowledged; in the end
// every tree and every metric equals the truth.
func TestKill(t *testing.T) {
	t.Parallel()
	t.Run("queue on disk", func(t *testing.T) { testKill(t, 50, 2500, append(durable(t), patient, queueOnDisk)...) })
	t.Run("queue in memory", func(t *testing.T) { testKill(t, 6, 500, append(durable(t), patient)...) })
}

func testKill(t *testing.T, kills, tasks int, more ...string) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: tasks, Seed: 41, Failures: true, SpacingMS: 5})
	batches := streamtest.Batches(streamtest.Shuffle(lines, 2000, 41), killedBatch)
	sink := newSink(t)
	c := start(t, sink, more...)

	var (
		acknowledged atomic.Int64
		next         atomic.Int64
		senders      sync.WaitGroup
	)
	client, done := newClient(connections)
	defer done()
	url := "http://" + c.events + "/v1/events"
	stop := make(chan struct{})
	defer close(stop)
	// Limit how far senders get before the next kill, however fast the collector is: some requests are pending at it, and
	// most are still to be sent.
	permits, permitted := make(chan struct{}, len(batches)+connections), 0
	permit := func(until int) {
		for ; permitted < until; permitted++ {
			permits <- struct{}{}
		}
	}
	for range connections {
		senders.Go(func() {
			pause := time.NewTicker(20 * time.Millisecond)
			defer pause.Stop()
			for {
				select {
				case <-stop:
					return
				case <-permits:
				}
				at := int(next.Add(1)) - 1
				if at >= len(batches) {
					return
				}
				body := bytes.Join(batches[at], []byte("\n"))
				for postOnce(client, url, "application/x-ndjson", body) != nil {
					select {
					case <-stop:
						return
					case <-pause.C:
					}
				}
				acknowledged.Add(1)
			}
		})
	}
	random := rand.New(rand.NewPCG(41, 1))
	var killed []int // after how many requests
	for life := range kills {
		until := int64(len(batches)*(life+1)/(kills+1) - random.IntN(len(batches)/kills))
		permit(min(int(until)+4*connections, cap(permits)))
		await(t, time.Minute, "requests", func() bool { return acknowledged.Load() >= until }, func() any {
			return fmt.Sprintf("life %d: %d of %d requests", life, acknowledged.Load(), len(batches))
		})
		if life == kills-1 { // trees were emitted, and must not be measured twice
			await(t, time.Minute, "a tree before the last kill", func() bool { return sink.taskSpans() > 0 }, func() any { return sink.spanCount() })
		}
		<-time.After(time.Duration(random.IntN(30)) * time.Millisecond)
		killed = append(killed, int(acknowledged.Load()))
		c.kill()
	}
	permit(cap(permits))
	across := openAcross(t, batches, killed, min(3, kills))
	t.Logf("%d of %d tasks were open across 3 kills and more", across, tasks)
	require.Greater(t, across, tasks/10, "the stream has tasks that stay open across several kills")
	senders.Wait()
	require.EqualValues(t, len(batches), acknowledged.Load())

	awaitEqual(t, "every tree", func() []string { return treeDifferences(t, sink, truth) })
	t.Logf("%d spans came, %d of them again", len(sink.all()), len(sink.all())-len(unique(t, sink.all())))

	want, metrics := expected(t, lines, truth), measured()
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(plainText), metrics)) })
	assert.Zero(t, c.stop())
}

// openAcross returns the number of tasks that were open at that many kills: some of their events had certainly been
// acknowledged, and some had not been sent.
func openAcross(t *testing.T, batches [][][]byte, killed []int, times int) (tasks int) {
	t.Helper()
	type stretch struct{ first, last int } // indexes of the requests with the first and the last event
	open := map[int64]stretch{}
	for i, batch := range batches {
		for _, line := range batch {
			item, err := streamtest.Parse(line)
			require.NoError(t, err)
			s, known := open[item.Payload.TaskID]
			if !known {
				s.first = i
			}
			s.last = i
			open[item.Payload.TaskID] = s
		}
	}
	for _, s := range open {
		survived := 0
		for _, acknowledged := range killed {
			if s.first < acknowledged-connections && acknowledged+connections < s.last {
				survived++
			}
		}
		if survived >= times {
			tasks++
		}
	}
	return tasks
}

// treeDifferences returns how the spans, each received once or more, differ from the truth; while tasks are missing, only
// that.
func treeDifferences(t *testing.T, sink *sink, truth []streamtest.Task) []string {
	t.Helper()
	if tasks := sink.taskSpans(); tasks < len(truth) {
		return []string{fmt.Sprintf("the spans of %d of %d tasks", tasks, len(truth))}
	}
	return streamtest.Compare(truth, unique(t, sink.all()))
}

// unique returns the spans without duplicates, which must be identical.
func unique(t *testing.T, spans []streamtest.Span) []streamtest.Span {
	t.Helper()
	type id struct {
		trace [16]byte
		span  [8]byte
	}
	seen := make(map[id]int, len(spans))
	var once []streamtest.Span
	for _, span := range spans {
		key := id{span.TraceID, span.SpanID}
		if at, again := seen[key]; again {
			if !assert.Equal(t, once[at], span, "a span that came again") {
				t.FailNow()
			}
			continue
		}
		seen[key] = len(once)
		once = append(once, span)
	}
	return once
}
