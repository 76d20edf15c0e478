// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package configerr

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

type mode string

func TestForm(t *testing.T) {
	for want, err := range map[string]error{
		`emit: "never" is not known; use "parts" or "whole"`:                                           OneOf[mode]("emit", "never", "parts", "whole"),
		`mode: "" is not known; use "a", "b" or "c"`:                                                   OneOf("mode", "", "a", "b", "c"),
		`shedding::low: -1 is negative; use a number above 0, or 0 for never`:                          OrZero(Path("shedding", "low"), -1, "for never"),
		`max_items: 0 is too small; use 1 or more`:                                                     AtLeast("max_items", 0, 1),
		`quantiles[2]: NaN is out of range; use 0 to 1`:                                                InRange(Index("quantiles", 2), math.NaN(), 0, 1),
		`overrides[0]: names nothing; add tasks`:                                                       New(Index("overrides", 0), nil, "names nothing", "add tasks"),
		`interval: 15ns is in nanoseconds, as a number without a unit is; write the unit, such as 15s`: Unit("interval", 15, "15s"),
		`interval: -1s is not above zero; use more, such as 15s`:                                       Positive("interval", -time.Second, "15s"),
		`wait: -1s is negative; use a duration such as 10s, or 0s to refuse at once`:                   NotNegative("wait", -time.Second, "10s", "to refuse at once"),
	} {
		require.EqualError(t, err, want)
	}
}

func TestRight(t *testing.T) {
	require.NoError(t, OneOf("emit", "parts", "parts", "whole"))
	require.NoError(t, OrZero("low", 0, "for never"))
	require.NoError(t, AtLeast("max_items", 1, 1))
	require.NoError(t, InRange("quantile", 1.0, 0, 1))
	for _, right := range []time.Duration{time.Millisecond, 15 * time.Second} {
		require.NoError(t, Positive("interval", right, "15s"))
	}
	require.NoError(t, NotNegative("interval", 0, "15s", "for ever"))
	for _, wrong := range []time.Duration{1, 15, 86400, time.Millisecond - 1} {
		require.Error(t, Positive("interval", wrong, "15s"))
		require.Error(t, NotNegative("interval", wrong, "15s", "for ever"))
	}
	assert.Empty(t, List[string](nil))
	assert.Equal(t, delimiter, confmap.KeyDelimiter)
}
