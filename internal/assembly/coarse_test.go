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
