// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// hostileLines returns events of one task, each of which ends something or could belong to anything: events of the task, of
// passes, of attempts, and queries.
func hostileLines(n int) (lines [][]byte) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		name, more := "task.cancelled", ""
		switch i % 6 {
		case 1:
			name = "workflow.task_finalization_completed"
		case 2:
			name, more = "database.query_executed", `,"sql":"SELECT 1","duration":0.0001`
		case 3, 4:
			name, more = "step.before_handle", fmt.Sprintf(`,"step_id":%d,"step_name":"s%d"`, i%97, i%97)
		case 5:
			name, more = "step.failed", fmt.Sprintf(`,"step_id":%d,"step_name":"s%d"`, i%97, i%97)
		}
		lines = append(lines, fmt.Appendf(nil, `{"event":%q,"occurred_at":%q,"service":"attacker","payload":{"task_id":1%s}}`,
			name, at.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano), more))
	}
	return lines
}

// TestAttackOneHostileTask: one task far beyond max_events_per_task, each event of which ends something, in the same shard
// as all others. Requests of others take about as long as beside the same number of events of ordinary tasks.
func TestAttackOneHostileTask(t *testing.T) {
	if os.Getenv("TASKER_ATTACK") == "" {
		t.Skip("TASKER_ATTACK is not set: make attack compares how long requests take")
	}
	const background, rounds = 60_000, 3
	ordinary, _ := streamtest.Generate(streamtest.Options{Tasks: background / 50, Seed: 97, Failures: true})
	crowds := map[string][][]byte{"ordinary": ordinary[:min(background, len(ordinary))], "hostile": hostileLines(background)}
	p99, cpu := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range rounds {
		for _, kind := range []string{"ordinary", "hostile"} {
			took, worked := requestTimesDuring(t, crowds[kind])
			p99[kind], cpu[kind] = append(p99[kind], took), append(cpu[kind], worked/time.Duration(len(crowds[kind])))
		}
	}
	calm, attacked := slices.Min(p99["ordinary"]), slices.Min(p99["hostile"])
	t.Logf("finding: p99 of others' requests %v, beside ordinary tasks %v; CPU %v an event, of ordinary ones %v",
		attacked.Round(time.Millisecond), calm.Round(time.Millisecond), slices.Min(cpu["hostile"]), slices.Min(cpu["ordinary"]))
	// Generous: a task at its limit is processed once for every 2,500 of its events, which takes time.
	assert.Less(t, attacked, 10*calm+time.Second, "%v", p99)
	assert.Less(t, slices.Min(cpu["hostile"]), 5*slices.Min(cpu["ordinary"]), "CPU time of an event: %v", cpu)
}

// requestTimesDuring returns the 99th percentile of the duration of small requests while a crowd's events are sent, and the CPU time of
// the process.
func requestTimesDuring(t *testing.T, crowd [][]byte) (p99, cpu time.Duration) {
	t.Helper()
	sink := newSink(t)
	sink.countOnly = true
	c := start(t, sink, "processors: {span_hierarchy: {shards: 1}}")
	url := "http://" + c.events + "/v1/events"
	done := make(chan error, 1)
	go func() {
		client, closed := newClient(1)
		defer closed()
		for _, batch := range streamtest.Batches(crowd, 200) {
			if err := postOne(client, url, "application/x-ndjson", bytes.Join(batch, []byte("\n"))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	client, closed := newClient(1)
	defer closed()
	var took []time.Duration
	for i := 0; ; i++ {
		event := fmt.Appendf(nil, `{"event":"step.before_handle","service":"shop","payload":{"task_id":%d,"step_id":1,"step_name":"a"}}`, 2+i)
		began := time.Now()
		require.NoError(t, postOne(client, url, "application/json", event))
		took = append(took, time.Since(began))
		select {
		case err := <-done:
			require.NoError(t, err)
			assert.Zero(t, c.stop())
			slices.Sort(took)
			return took[len(took)*99/100], c.totalTime()
		case <-time.After(5 * time.Millisecond): // others send occasional requests
		}
	}
}
