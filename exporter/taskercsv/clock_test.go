// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestClockThatIsSetBack(t *testing.T) {
	var c clock
	now := time.Now()
	require.Zero(t, c.setBack(now))
	require.Zero(t, c.setBack(now.Add(time.Minute)))
	c.wall += 2 * time.Hour // as if the clock had been ahead
	require.Equal(t, 2*time.Hour, c.setBack(now.Add(2*time.Minute)))
	require.Zero(t, c.setBack(now.Add(3*time.Minute)), "reported once")
	c.wall -= time.Hour
	require.Zero(t, c.setBack(now.Add(4*time.Minute)), "set forward")
	c.wall += leastStep / 2
	require.Zero(t, c.setBack(now.Add(5*time.Minute)))
}

// TestTableGoesOnWhenTheClockIsSetBack consumes deltas from a collector whose clock was set back by two hours.
func TestTableGoesOnWhenTheClockIsSetBack(t *testing.T) {
	for _, back := range []time.Duration{0, 2 * time.Hour} {
		rows := newMetricRows(createDefaultConfig().(*Config))
		md := delta(1, 0)
		point := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0)
		now := time.Now()
		point.SetTimestamp(pcommon.NewTimestampFromTime(now))
		require.Nil(t, rows.merge(md, now))

		rows.clock.wall += back
		point.SetTimestamp(pcommon.NewTimestampFromTime(now.Add(5*time.Second - 2*time.Hour)))
		dropped := rows.merge(md, now.Add(5*time.Second))
		assert.Equal(t, back == 0, dropped["out_of_order"] == 1, "set back by %v: %v", back, dropped)
	}
}
