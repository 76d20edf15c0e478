// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// Generated streams, late and repeated, give the truth, for as long as TASKER_CAMPAIGN sets, as in TASKER_CAMPAIGN=10m go test -run
// Campaign -timeout 0 -v ./internal/assembly. Without it, a few streams.
func TestCampaign(t *testing.T) {
	length := 200 * time.Millisecond
	if text := os.Getenv("TASKER_CAMPAIGN"); text != "" {
		var err error
		length, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	seeds := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	rounds, tasks := 0, 0
	for began := time.Now(); time.Since(began) < length; rounds++ {
		seed := seeds.Uint64()
		random := rand.New(rand.NewPCG(seed, 1))
		options := streamtest.Options{
			Tasks: 1 + random.IntN(40), Seed: seed, Failures: random.IntN(4) > 0, Planned: random.IntN(2) > 0, SpacingMS: 1 + random.IntN(500),
		}
		lines, truth := streamtest.Generate(options)
		var events []*event.Event
		for _, line := range lines {
			events = append(events, parseEvent(t, line))
		}
		var spans []streamtest.Span
		limits := limits()
		limits.Parts = random.IntN(2) > 0
		a := assembly.New(limits, func(emitted *tree.Tree) {
			require.Equal(t, tree.ReasonEnded, emitted.Reason, "%+v", options)
			spans = append(spans, comparable(emitted)...)
		})
		observeLive(a, random, arrivals(random, events, limits.ReorderWindow))
		require.Empty(t, streamtest.Compare(truth, spans), "%+v", options)
		require.Zero(t, a.Stats().OpenTasks, "%+v", options)
		tasks += len(truth)
	}
	t.Logf("%d streams, %d tasks", rounds, tasks)
}
