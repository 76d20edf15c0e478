// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package configerr

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheckUnit(t *testing.T) {
	for _, right := range []time.Duration{-1, 0, time.Millisecond, 15 * time.Second} {
		require.NoError(t, CheckUnit("'interval'", right, "15s"))
	}
	for _, wrong := range []time.Duration{1, 15, 86400, time.Millisecond - 1} {
		require.ErrorContains(t, CheckUnit("'interval'", wrong, "15s"), "'interval' is "+wrong.String())
	}
	require.EqualError(t, CheckUnit("'interval'", 15, "15s"),
		"'interval' is 15ns, as a number without a unit is nanoseconds: write the unit, such as 15s")
}
