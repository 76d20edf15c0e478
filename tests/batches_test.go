// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestBatches checks that config.yaml passes events on in batches, and that an exporter which cannot read these gets a record for each
// event; either way the trees are those of the truth. How many records there are is what memory_limiter counts.
func TestBatches(t *testing.T) {
	t.Parallel()
	const another = `
exporters: {nop: {}}
service: {pipelines: {logs/events: {exporters: [routed_events, span_to_metrics, nop]}}}
`
	const resources = `
processors: {resource: {attributes: [{key: k8s.pod.name, value: a, action: insert}]}}
service: {pipelines: {logs/events: {processors: [memory_limiter, resource, event_router]}}}
`
	for name, test := range map[string]struct {
		change  string
		batched bool
	}{
		"config.yaml":      {"", true},
		"resources only":   {resources, true},
		"another exporter": {another, false},
		"switched off":     {`receivers: {tasker_events: {log_records: each}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.Load(streamtest.Mixed)
			require.NoError(t, err)
			own := freeAddresses(t, 1)[0]
			sink := newSink(t)
			c := start(t, sink, fmt.Sprintf(ownMetrics, own[strings.LastIndexByte(own, ':')+1:]), test.change)
			batches := shuffledBatches(lines, 5)
			events := 0
			for _, batch := range batches { // some are repeated
				events += len(batch)
			}
			c.sendNDJSON(1, batches)
			awaitTasks(t, sink, len(truth))
			records := 0.0
			for _, s := range (&collector{tb: t, scrape: own}).samples("") {
				if s.name == "otelcol_processor_incoming_items" && s.labels["processor"] == "memory_limiter" && s.labels["otel_signal"] == "logs" {
					records += s.value
				}
			}
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
			if test.batched {
				assert.Less(t, records, float64(events)/4)
				assert.GreaterOrEqual(t, records, float64(len(batches)))
			} else {
				assert.EqualValues(t, events, records)
			}
		})
	}
}
