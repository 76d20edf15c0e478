// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestAttackCrowdOfSeries posts queries of a thousand services on 140 tables each to the configuration for systemd. Without
// a limit that would be 560,000 series. Concurrent scrapes of the full table stay within the memory limit, also after the
// process was killed, and every query counts.
func TestAttackCrowdOfSeries(t *testing.T) {
	const services, tables, servicesPerRequest = 1000, 140, 50
	c := startShipped(t, systemd(t))
	for from := 0; from < services; from += servicesPerRequest {
		var body bytes.Buffer
		for service := from; service < from+servicesPerRequest; service++ {
			for table := range tables {
				fmt.Fprintf(&body, `{"event":"database.query_executed","service":"service-%d","id":"%d-%d","payload":{"task_id":%d,"duration":0.012,"sql":"SELECT * FROM table_%d","name":"Load"}}`+"\n",
					service, service, table, table, table)
			}
		}
		require.NoError(t, postOne(c.client, c.scheme+"://"+c.events+"/v1/events", "application/x-ndjson", body.Bytes()))
	}
	c.awaitQueries(services * tables)
	require.NoError(t, c.cmd.Process.Kill())
	<-c.exited
	c.restart()
	c.awaitQueries(services * tables)

	var scrapes sync.WaitGroup
	for range 3 {
		scrapes.Go(func() {
			_, size := c.queries()
			assert.Less(t, size, 80<<20)
		})
	}
	scrapes.Wait()
	peak := c.memory("VmHWM")
	t.Logf("finding: %d MiB at most, three scrapes at once included", peak>>20)
	assert.Less(t, peak, int64(1<<30), "systemd ends a process that has more")
	assert.Zero(t, c.stop())
}

// queries returns the number of queries in a scrape, and its size in bytes.
func (c *shipped) queries() (count, size int) {
	answer, err := c.client.Get("http://" + c.scrape + "/metrics")
	if !assert.NoError(c.tb, err) {
		return 0, 0
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		size += len(lines.Bytes()) + 1
		if !strings.HasPrefix(lines.Text(), "tasker_sql_queries_total{") {
			continue
		}
		value, err := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64)
		assert.NoError(c.tb, err)
		count += int(value)
	}
	assert.NoError(c.tb, lines.Err())
	return count, size
}

// awaitQueries waits until a scrape reports that number of queries.
func (c *shipped) awaitQueries(want int) {
	c.tb.Helper()
	got := 0
	await(c.tb, 2*time.Minute, "all queries", func() bool {
		got, _ = c.queries()
		return got == want
	}, func() any { return got })
}

// TestExpiredSeriesLeaveTheExporters lets all series of finished tasks expire, of all types and several of each metric: the
// exporters, which would keep them for a day, drop them immediately.
func TestExpiredSeriesLeaveTheExporters(t *testing.T) {
	t.Parallel()
	lines, _, err := streamtest.Load(streamtest.Planned)
	require.NoError(t, err)
	for _, histogram := range []string{"{}", "{exponential: }"} {
		c := start(t, newSink(t), fmt.Sprintf(`
connectors: {span_to_metrics: {metrics_flush_interval: 200ms, series_expiration: 6s, histogram: %s}}
exporters: {prometheus: {metric_expiration: 24h}, tasker_csv: {series_expiration: 24h, min_write_interval: 0s}}
`, histogram))
		shown := func() (scraped, written int) {
			table, err := os.ReadFile(c.csv)
			if err != nil {
				return 0, 1 // it is not written yet
			}
			body, _ := c.scrapeText("")
			return strings.Count(string(body), "\ntasker_"), strings.Count(string(table), ",tasker.")
		}
		state := func() any {
			scraped, written := shown()
			return fmt.Sprint(scraped, " scraped, ", written, " in the table")
		}
		c.sendNDJSON(1, [][][]byte{lines})
		await(t, time.Minute, "series", func() bool {
			body, _ := c.scrapeText("")
			return strings.Contains(string(body), "\ntasker_task_duration_seconds")
		}, state)
		await(t, time.Minute, "that they have gone", func() bool {
			scraped, written := shown()
			return scraped+written == 0
		}, state)
		assert.Zero(t, c.stop())
	}
}
