// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

const digests = "testdata/digests.txt"

// The digest of all spans of every stream, whole, with clocks of a second and with losses, is recorded: a refactoring must keep
// every byte. Run with -update after an intended change of the spans.
func TestDigests(t *testing.T) {
	t.Parallel()
	streams := scenarioEvents(t)
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		events := streams[name]
		lines = append(lines, name+" "+digest(events, patient()))
		random := rand.New(rand.NewPCG(1, 2))
		lossy := slices.DeleteFunc(slices.Clone(events), func(*event.Event) bool { return random.IntN(10) == 0 })
		lines = append(lines, name+"/lossy "+digest(lossy, patient()))
		var coarse []*event.Event
		for _, e := range events {
			truncated := *e
			truncated.At -= truncated.At % int64(time.Second)
			coarse = append(coarse, &truncated)
		}
		lines = append(lines, name+"/seconds "+digest(coarse, patient()))
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(digests, []byte(got), 0o644))
	}
	want, err := os.ReadFile(digests)
	require.NoError(t, err, "run the test with -update")
	assert.Equal(t, string(want), got)
}

// digest returns the hash of the text of all spans of a replay.
func digest(events []*event.Event, limits assembly.Limits) string {
	var texts []string
	a := assembly.New(limits, func(tree *tree.Tree) {
		for i := range tree.Spans {
			texts = append(texts, fmt.Sprintf("%x ", tree.Trace)+describeSpan(&tree.Spans[i]))
		}
	})
	for _, e := range events {
		a.Observe(e, time.Unix(1, 0))
	}
	a.Advance(time.Unix(1, 0).Add(limits.SettleTimeout))
	a.Flush()
	slices.Sort(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return fmt.Sprintf("%d %x", len(texts), sum[:8])
}
