// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// itemCorrelation is the correlation ID beside a line's payload, and payloadCorrelation that inside.
var (
	itemCorrelation    = regexp.MustCompile(`"service":"shop","correlation_id":"[^"]*",`)
	payloadCorrelation = regexp.MustCompile(`"correlation_id":"[^"]*"`)
)

// TestCorrelationIDs checks that every span and record has a correlation ID, sent or generated, and that no metric has one.
func TestCorrelationIDs(t *testing.T) {
	t.Parallel()
	for name, generated := range map[string]bool{"sent": false, "generated": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.Load(streamtest.Mixed)
			require.NoError(t, err)
			if generated {
				for i, line := range lines {
					line = itemCorrelation.ReplaceAll(line, []byte(`"service":"shop",`))
					lines[i] = payloadCorrelation.ReplaceAll(line, []byte(`"correlation_id":null`))
				}
			}
			require.Equal(t, !generated, bytes.Contains(bytes.Join(lines, nil), []byte("tsk_")))
			sink := newSink(t)
			c := start(t, sink, `
processors:
  event_router:
    routes:
      - {event: step.failed, signals: [traces, metrics, logs]}
`)
			c.sendNDJSON(connections, shuffledBatches(lines, 5))
			awaitTasks(t, sink, len(truth))
			const executions = "tasker_task_executions_total"
			await(t, 30*time.Second, "metrics of all tasks", func() bool {
				total := 0.0
				for _, s := range c.samples(openMetrics) {
					if s.name == executions {
						total += s.value
					}
				}
				return int(total) == len(truth)
			}, func() any { body, _ := c.scrapeText(openMetrics); return string(body) })
			exposition, _ := c.scrapeText(openMetrics)
			assert.Zero(t, c.stop())
			table, err := os.ReadFile(c.csv)
			require.NoError(t, err)

			ids := map[any]bool{}
			for _, span := range sink.all() {
				id, _ := span.Attributes[lifecycle.AttrCorrelationID].(string)
				require.Truef(t, strings.HasPrefix(id, "tsk_"), "%s has %q", span.Name, id)
				ids[id] = true
			}
			require.NotEmpty(t, sink.allRecords())
			for _, r := range sink.allRecords() {
				require.NotEmpty(t, r.Attributes[lifecycle.AttrCorrelationID], r.Event)
			}
			assert.GreaterOrEqual(t, len(ids), len(truth))
			for _, text := range []string{string(exposition), string(table)} {
				assert.Contains(t, text, "process_order", "the numbers are there")
				assert.NotContains(t, text, "correlation")
				assert.NotContains(t, text, "tsk_")
			}
		})
	}
}
