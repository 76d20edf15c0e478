// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The cache never returns another task's ID, whatever the fields contain.
func TestTraceIDsAreThoseOfTraceID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var traces TraceIDs
		name := rapid.SampledFrom([]string{"", "shop", "shop1", strings.Repeat("s", maxKeptID)})
		task := rapid.OneOf(rapid.StringMatching(`[0-9]{0,3}`), rapid.SampledFrom([]string{"", "11", strings.Repeat("1", maxKeptID+1)}))
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			namespace, service, id := name.Draw(t, "namespace"), name.Draw(t, "service"), task.Draw(t, "task")
			require.Equal(t, TraceID(namespace, service, id), traces.Of(namespace, service, id))
			number := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Map(rapid.Int64Range(0, 2), func(n int64) int64 { return n * keptTraces })).Draw(t, "number")
			require.Equal(t, TraceID(namespace, service, strconv.FormatInt(number, 10)), traces.OfNumber(namespace, service, number))
		}
	})
}

func BenchmarkTraceIDs(b *testing.B) {
	var traces TraceIDs
	b.ReportAllocs()
	for b.Loop() {
		traces.Of("retail", "shop", "123456")
		traces.OfNumber("retail", "shop", 123456)
	}
}

// The same ids are computed with and without reuse of memory.
func TestSpanIDs(t *testing.T) {
	var ids SpanIDs
	for i := range 100 {
		trace := TraceID("", "shop", strconv.Itoa(i%7))
		id := strings.Repeat("step", i%5)
		require.Equal(t, SpanID(trace, SpanStep, id, int64(i)), ids.Of(trace, SpanStep, id, int64(i)))
	}
}
