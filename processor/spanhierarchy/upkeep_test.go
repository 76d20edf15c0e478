// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was written in the last emit_again_within can't be removed yet, so it is no reason for a compaction.
func TestWhatIsRecentIsNoReasonToCompact(t *testing.T) {
	start := time.Unix(1000, 0)
	s := &state{owner: &hierarchy{emitAgain: 5 * time.Second}, marks: []mark{{at: start}}}
	var recent []int64
	for second := range 10 {
		s.written += 100
		recent = append(recent, s.recent(start.Add(time.Duration(second+1)*time.Second)))
	}
	require.Equal(t, []int64{100, 200, 300, 400, 500, 500, 500, 500, 500, 500}, recent)
	require.LessOrEqual(t, len(s.marks), 6)
	require.Zero(t, s.recent(start.Add(time.Hour)), "nothing was written since")
	require.Len(t, s.marks, 2)

	s.owner.emitAgain = 0
	s.written += 100
	require.Zero(t, s.recent(start.Add(time.Hour+time.Second)), "every release is stored at once")
}
