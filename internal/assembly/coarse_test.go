package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
)

// Clocks of one second, or of a minute, put many events into one instant. The trees are then only as good as the clock,
// but they are whole and well formed.
func TestCoarseClocksLeaveWellFormedTrees(t *testing.T) {
	for _, resolution := range []time.Duration{time.Millisecond, time.Second, time.Minute, 24 * time.Hour} {
		for _, name := range []string{"order_processing", "mixed", "planned", "real/retry"} {
			t.Run(name+"/"+resolution.String(), func(t *testing.T) {
				now := time.Unix(1, 0)
				a := assembly.New(limits(), func(tree *assembly.Tree) { requireWellFormed(t, tree) })
				for _, e := range readStream(t, name) {
					e.At -= e.At % int64(resolution)
					a.Observe(e, now)
				}
				a.Advance(now.Add(limits().SettleTimeout))
				a.Flush()
				require.Zero(t, a.Stats().OpenTasks)
			})
		}
	}
}

// In the order in which they happened, events with times of a second still tell every pass, batch and attempt.
func TestArrivalOrderStandsInForACoarseClock(t *testing.T) {
	count := func(events []*assembly.Event) map[string]int {
		names := map[string]int{}
		a := assembly.New(limits(), func(tree *assembly.Tree) {
			for _, s := range tree.Spans {
				names[s.Name]++
			}
		})
		for _, e := range events {
			a.Observe(e, time.Unix(1, 0))
		}
		a.Flush()
		return names
	}
	for _, name := range []string{"order_processing", "mixed", "real/linear5", "real/retry"} {
		exact, coarse := readStream(t, name), readStream(t, name)
		for _, e := range coarse {
			e.At -= e.At % int64(time.Second)
		}
		require.Equal(t, count(exact), count(coarse), name)
	}
}
