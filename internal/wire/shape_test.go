// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// Earlier items do not change the result: attributes, their order and the identity are those of a new decoder, and the identity is
// the one that a router computes. Some keys are also those of attributes that the decoder writes itself.
func TestShapesChangeNothing(t *testing.T) {
	keys := []string{`"task_id"`, `"step_id"`, `"a"`, `"\u0061"`, `""`, `"ä"`, `"` + strings.Repeat("k", 60) + `"`,
		`"correlation_id"`, `"traceparent"`, `"event_id"`, `"clock"`, `"impossible_time"`}
	values := []string{`1`, `"x"`, `null`, `true`, `{"a": [1, {"b": null}]}`, `[]`, `""`, `"receipt"`}
	envelopes := []string{`"occurred_at": "2026-06-01T12:00:00.5Z", `, `"occurred_at": "1926-06-01T12:00:00.5Z", `, ``}
	others := []string{``, `"correlation_id": "c", `, `"traceparent": "x", `, `"id": "i", `}
	settings := wire.Settings{LeaveOut: []string{"step_id", "a"}}
	rapid.Check(t, func(t *rapid.T) {
		var kinds []string // the same items repeatedly, with others between them
		for range rapid.IntRange(1, 4).Draw(t, "kinds") {
			var members []string
			for range rapid.IntRange(0, 5).Draw(t, "members") {
				members = append(members, rapid.SampledFrom(keys).Draw(t, "key")+": "+rapid.SampledFrom(values).Draw(t, "value"))
			}
			if rapid.Bool().Draw(t, "wide") {
				for i := range 40 {
					members = append(members, fmt.Sprintf(`"wide_%d": %d`, i, i))
				}
			}
			kinds = append(kinds, fmt.Sprintf(`{"event": "e%d", %s%s"payload": {%s}}`, rapid.IntRange(0, 1).Draw(t, "event"),
				rapid.SampledFrom(envelopes).Draw(t, "time"), rapid.SampledFrom(others).Draw(t, "other"), strings.Join(members, ", ")))
		}
		lines := rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 30).Draw(t, "lines")
		kept, _ := wire.NewDecoder(wire.Settings{}).Decode([]byte(strings.Join(lines, "\n")), wire.FormatNDJSON)
		whole := records(kept)
		together, report := wire.NewDecoder(settings).Decode([]byte(strings.Join(lines, "\n")), wire.FormatNDJSON)
		require.Zero(t, report.Refused)
		got := records(together)
		require.Len(t, got, len(lines))
		for i, line := range lines {
			alone, _ := wire.NewDecoder(settings).Decode([]byte(line), wire.FormatNDJSON)
			want := records(alone)[0]
			require.Equal(t, want.Attributes().AsRaw(), got[i].Attributes().AsRaw(), line)
			require.Equal(t, keysOf(want), keysOf(got[i]), line)
			require.Equal(t, want.TraceID(), got[i].TraceID())
			require.Equal(t, eventrecord.Identity(whole[i]), eventrecord.Identity(got[i]), "what is left out counts in the identity")
			require.Equal(t, eventrecord.Fingerprint(whole[i].EventName(), whole[i].Timestamp(), whole[i].Attributes()),
				eventrecord.Identity(got[i]), line)
			require.Equal(t, want.Body().AsRaw(), got[i].Body().AsRaw())
		}
	})
}

func keysOf(record plog.LogRecord) []string {
	var keys []string
	for key := range record.Attributes().All() {
		keys = append(keys, key)
	}
	return keys
}
