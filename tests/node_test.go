// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const nodeExample = "../examples/node"

// nodeWithSDK returns the path of node after installing the example's packages. They come from npm's registry, so this
// requires TASKER_PEERS.
func nodeWithSDK(t *testing.T) string {
	t.Helper()
	node := peer(t, "node")
	if _, err := os.Stat(nodeExample + "/node_modules/@opentelemetry/sdk-logs"); err == nil {
		return node
	}
	if os.Getenv("TASKER_PEERS") == "" {
		t.Skip("needs a peer: the OpenTelemetry SDK for JavaScript (npm ci in examples/node, or make test-peers)")
	}
	install := exec.Command(peer(t, "npm"), "ci", "--no-progress")
	install.Dir = nodeExample
	answer, err := install.CombinedOutput()
	require.NoError(t, err, "npm ci: %s", answer)
	return node
}

// TestNodeSDK sends a stream as log records with the OpenTelemetry SDK for JavaScript: the trees equal the truth.
func TestNodeSDK(t *testing.T) {
	node := nodeWithSDK(t)
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink)
	answer, err := exec.Command(node, "testdata/replay.mjs", mixedStream, "http://"+c.otlpHTTP+"/v1/logs").CombinedOutput()
	require.NoError(t, err, "%s", answer)
	require.Equal(t, fmt.Sprintf("emitted %d\n", len(lines)), string(answer), "and no complaints of the SDK")
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// TestNodeExample checks that the example's task becomes one tree. It announces each event once, where the engine repeats
// some, so the tree is emitted after the settle timeout.
func TestNodeExample(t *testing.T) {
	node := nodeWithSDK(t)
	sink := newSink(t)
	c := start(t, sink, "processors: {span_hierarchy: {settle_timeout: 8s}}")
	example := exec.Command(node, nodeExample+"/order.mjs")
	example.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+c.otlpHTTP)
	answer, err := example.CombinedOutput()
	require.NoError(t, err, "%s", answer)
	awaitTasks(t, sink, 1)
	assert.Zero(t, c.stop())
	equal(t, streamtest.WellFormed(sink.all()))
	names := map[string]int{}
	for _, span := range sink.all() {
		names[span.Name]++
		assert.Nil(t, span.Attributes[lifecycle.AttrSynthesized], span.Name)
	}
	assert.Equal(t, map[string]int{lifecycle.SpanTask: 1, lifecycle.SpanQueued: 1, lifecycle.SpanOrchestration: 1,
		lifecycle.SpanBatch: 1, lifecycle.SpanStep: 1, lifecycle.SpanHandler: 1, lifecycle.SpanFinalization: 1}, names)
}
