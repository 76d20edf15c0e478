// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

func leavingOut(keys ...string) *wire.Decoder {
	return wire.NewDecoder(wire.Settings{LeaveOut: keys, Now: func() time.Time { return now }})
}

func TestLeaveOut(t *testing.T) {
	logs, report := leavingOut("task_context", "results").Decode([]byte(`{"event": "order.placed", "occurred_at": "2026-06-01T12:00:00Z",
		"payload": {"task_id": 7, "task_context": {"card": "4111"}, "results": null, "task\u005fcontext": [1], "route.signals": "none",
			"route.identity": 5, "deep": {"task_context": 1}}}`), wire.FormatAuto)
	require.Equal(t, wire.Report{Accepted: 1, LeftOut: 2, Stamps: 2}, report, "a null is no value")
	record := records(logs)[0]
	assert.Equal(t, map[string]any{"tasker.task_id": int64(7), "tasker.deep": map[string]any{"task_context": int64(1)}}, attributesOf(record),
		"the keys are those of the payload itself")
	_, whole, _ := one(t, `{"event": "order.placed", "occurred_at": "2026-06-01T12:00:00Z",
		"payload": {"deep": {"task_context": 1}, "task_id": 7, "task_context": [1]}}`)
	assert.Equal(t, eventrecord.Identity(whole), eventrecord.Identity(record), "of values under one key the last one counts")
}

// What nothing uses is left out of the events it is named for, unless the time may have to be taken from the payload. The identity is
// that of the whole payload, whether the shape of the payload is known yet or not.
func TestUnused(t *testing.T) {
	const item = `{"event": %q%s, "payload": {"task_id": 7, "timestamp": "2026-06-01T12:00:00Z", "retry_limit": 3, "results": [1]}}` + "\n"
	const timed = `, "occurred_at": "2026-06-01T12:00:00.5Z"`
	all := map[string]any{"tasker.task_id": int64(7), "tasker.timestamp": "2026-06-01T12:00:00Z", "tasker.retry_limit": int64(3)}
	decoder := wire.NewDecoder(wire.Settings{
		LeaveOut: []string{"results"}, Unused: map[string][]string{"step.completed": {"timestamp", "retry_limit", "results"}},
		Now: func() time.Time { return now },
	})
	for _, test := range []struct {
		event, time string
		want        map[string]any
		unused      int
	}{
		{"step.completed", timed, map[string]any{"tasker.task_id": int64(7)}, 2},
		{"step.completed", "", all, 0},
		{"step.completed", `, "occurred_at": "1970-01-01T00:00:00Z"`, all, 0},
		{"step.failed", timed, all, 0},
	} {
		for range 3 { // first without a known shape
			body := []byte(fmt.Sprintf(item, test.event, test.time))
			whole, _ := leavingOut("results").Decode(body, wire.FormatNDJSON)
			logs, report := decoder.Decode(body, wire.FormatNDJSON)
			require.Equal(t, test.unused, report.Unused)
			require.Equal(t, 1, report.LeftOut, "a bulky value stays a bulky one")
			record := records(logs)[0]
			require.Equal(t, eventrecord.Identity(records(whole)[0]), eventrecord.Identity(record))
			record.Attributes().Remove(lifecycle.AttrImpossibleTime)
			require.Equal(t, test.want, attributesOf(record))
			require.Equal(t, test.unused == 0, record.Body().Type() == pcommon.ValueTypeStr, "a body where everything is decoded")
		}
	}
}

// FuzzLeaveOut checks that an item has the identity of its whole payload, whichever parts are not decoded.
func FuzzLeaveOut(f *testing.F) {
	for _, value := range []string{
		`null`, `[null, 1, [], {}]`, `-0`, `1e400`, `99999999999999999999`, `-9223372036854775808`, `"\ud83d\ude00\ud800"`, `"ü"`, `0.1`, `true`,
		`{"a": 1, "a": 2, "\u0061": 3, "b": null, "a": null}`, `{"a": {"a": [[1], [2]]}, "b": {"a": 1}}`,
		"{" + strings.Repeat(`"k": 1, `, 20) + `"l": 2}`, "{" + manyMembers(200) + `, "k3": "again"}`,
	} {
		f.Add(value, value, false)
		f.Add(value, "1", true)
	}
	everything, nothing := leavingOut("a", "b", "c"), leavingOut()
	settings := wire.Settings{LeaveOut: []string{"c"}, Unused: map[string][]string{"e": {"a", "b", "c"}}, Now: func() time.Time { return now }}
	unused := wire.NewDecoder(settings)
	settings.Batch = true
	batching := wire.NewDecoder(settings)
	f.Fuzz(func(t *testing.T, a, b string, wide bool) {
		more := ""
		if wide {
			more = ", " + manyMembers(150)
		}
		body := fmt.Sprintf(`{"event": "e", "occurred_at": "2026-06-01T12:00:00Z", "payload": {"a": %s, "task_id": 1, "b": %s%s}}`, a, b, more)
		whole, report := nothing.Decode([]byte(body), wire.FormatAuto)
		left, other := everything.Decode([]byte(body), wire.FormatAuto)
		require.Equal(t, report.Accepted, other.Accepted)
		same, report := unused.Decode([]byte(body), wire.FormatAuto)
		for range 2 {
			batched, twin := batching.Decode([]byte(body), wire.FormatAuto)
			require.Equal(t, report, twin)
			sameEvents(t, same, batched)
		}
		for i, record := range records(left) {
			require.Equal(t, record.Attributes().AsRaw(), records(same)[i].Attributes().AsRaw())
		}
		for i, record := range records(whole) {
			attrs := record.Attributes()
			identity := eventrecord.Identity(record)
			require.Equal(t, eventrecord.Fingerprint(record.EventName(), record.Timestamp(), attrs), identity, "as a router computes it")
			short := records(left)[i]
			require.Equal(t, identity, eventrecord.Identity(short))
			for _, key := range []string{"a", "b", "c"} {
				attrs.Remove(lifecycle.AttributePrefix + key)
			}
			require.Equal(t, attrs.AsRaw(), short.Attributes().AsRaw())
		}
	})
}

func manyMembers(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"k%d": %d`, i, i))
	}
	return strings.Join(members, ", ")
}

// The items of real streams are the same events with and without the keys left out by default.
func TestLeaveOutOfStreams(t *testing.T) {
	for _, name := range []string{"mixed", "planned"} {
		body := stream(t, name)
		whole, _ := leavingOut().Decode(body, wire.FormatNDJSON)
		left, report := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Unused: lifecycle.UnusedPayloadKeys(),
			Now: func() time.Time { return now }}).Decode(body, wire.FormatNDJSON)
		require.Positive(t, report.LeftOut)
		require.Positive(t, report.Unused)
		require.Len(t, records(left), bytes.Count(body, []byte{'\n'}))
		for i, record := range records(whole) {
			require.Equal(t, eventrecord.Identity(record), eventrecord.Identity(records(left)[i]))
		}
	}
}
