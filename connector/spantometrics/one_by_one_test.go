// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// singleSpans returns the spans of the tasks, each in its own request.
func singleSpans(tasks []trueTask, wanted expectations) []ptrace.Traces {
	var all []ptrace.Traces
	for _, task := range tasks {
		td := finishedSpans(task, wanted)
		from := td.ResourceSpans().At(0)
		for _, span := range from.ScopeSpans().At(0).Spans().All() {
			single := ptrace.NewTraces()
			to := single.ResourceSpans().AppendEmpty()
			from.Resource().CopyTo(to.Resource())
			scope := to.ScopeSpans().AppendEmpty()
			scope.Scope().SetName(lifecycle.ScopeSpans)
			span.CopyTo(scope.Spans().AppendEmpty())
			all = append(all, single)
		}
	}
	return all
}

func levelOf(single ptrace.Traces) int {
	order := []string{lifecycle.SpanStep, lifecycle.SpanBatch, lifecycle.SpanOrchestration, lifecycle.SpanTask}
	return slices.Index(order, single.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name())
}

// TestSpansOneByOne sends each span of real runs in its own request, children before parents or in any order, some
// repeatedly, with crashes and lost responses between. Each is counted once.
func TestSpansOneByOne(t *testing.T) {
	arrangements := map[string]func(*rand.Rand, []ptrace.Traces){
		"parents last": func(_ *rand.Rand, all []ptrace.Traces) {
			slices.SortStableFunc(all, func(a, b ptrace.Traces) int { return levelOf(a) - levelOf(b) })
		},
		"any order": func(random *rand.Rand, all []ptrace.Traces) {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		},
	}
	for name, arrange := range arrangements {
		for _, temporality := range []string{cumulative, delta} {
			t.Run(name+" "+temporality, func(t *testing.T) {
				random := rand.New(rand.NewPCG(7, 9))
				wanted := expectations{}
				all := singleSpans(slices.Concat(readTruth(t, "mixed"), readTruth(t, "planned")), wanted)
				arrange(random, all)
				w := newWorld(t, func(cfg *Config) { cfg.AggregationTemporality = temporality })
				c := w.begin()
				send := func(td ptrace.Traces) {
					for (batch{td: td}).consume(c) != nil {
						w.crash() // the sender got no response and retries
						c = w.begin()
					}
				}
				for i, td := range all {
					switch random.IntN(30) {
					case 0:
						w.crash()
						c = w.begin()
					case 1:
						w.storage.Fail(errors.New("the disk is full"))
					case 2:
						w.refusing = random.IntN(2) == 0
						_ = c.flush(context.Background())
						w.refusing = false
					case 3, 4:
						send(all[random.IntN(i+1)])
					}
					send(td)
				}
				require.NoError(t, c.flush(context.Background()))
				checkExpectations(t, wanted, w.totals(false))
			})
		}
	}
}

// checkExpectations checks that the totals are those of the expectations.
func checkExpectations(t *testing.T, wanted expectations, totals map[string]observed) {
	t.Helper()
	expected := 0
	for metric, want := range wanted {
		expected += len(want)
		for labels, sum := range want {
			got := totals[" service.name=shop service.namespace=retail "+metric+" "+labels]
			require.EqualValues(t, sum.count, got.count, "%s {%s}", metric, labels)
			require.InDelta(t, float64(sum.nanos)/1e9, got.sum, 1e-9*float64(1+sum.count), "%s {%s}", metric, labels)
		}
	}
	require.Len(t, totals, expected)
}
