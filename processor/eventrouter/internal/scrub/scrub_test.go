// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

func newScrubber() *scrub.Scrubber {
	return scrub.New(scrub.Settings{
		Bulky: lifecycle.BulkyPayloadKeys(), Sensitive: lifecycle.SensitiveKeyParts(), Mask: "[FILTERED]",
		MaxValueBytes: 64, MaxStructureBytes: 200, MaxBacktraceLines: 3,
	})
}

func TestScrub(t *testing.T) {
	const mask = "[FILTERED]"
	long := strings.Repeat("é", 50)
	for name, test := range map[string]struct {
		attrs, want map[string]any
		counts      scrub.Counts
	}{
		"nothing to do": {
			map[string]any{"tasker.task_id": int64(1), "tasker.step_name": "charge"},
			map[string]any{"tasker.task_id": int64(1), "tasker.step_name": "charge"},
			scrub.Counts{},
		},
		"bulky": {
			map[string]any{"tasker.task_context": map[string]any{"a": 1}, "tasker.task": "x", "tasker.task_name": "n"},
			map[string]any{"tasker.task_name": "n"},
			scrub.Counts{Removed: 2},
		},
		"bulky names mean nothing deeper": {
			map[string]any{"tasker.order": map[string]any{"context": "web"}},
			map[string]any{"tasker.order": map[string]any{"context": "web"}},
			scrub.Counts{},
		},
		"sensitive": {
			map[string]any{"tasker.Customer_EMAIL": "a@b.c", "token": int64(7), "tasker.api_key": map[string]any{"a": 1}},
			map[string]any{"tasker.Customer_EMAIL": mask, "token": mask, "tasker.api_key": mask},
			scrub.Counts{Masked: 3},
		},
		"sensitive and nested": {
			map[string]any{"tasker.list": []any{map[string]any{"deep": map[string]any{"password": "x", "ok": true}}}},
			map[string]any{"tasker.list": []any{map[string]any{"deep": map[string]any{"password": mask, "ok": true}}}},
			scrub.Counts{Masked: 1},
		},
		"masked before": {
			map[string]any{"tasker.email": mask}, map[string]any{"tasker.email": mask}, scrub.Counts{},
		},
		"the collector's own keys are not sensitive": {
			map[string]any{"tasker.correlation_id": "a", "tasker.traceparent": "b", "tasker.event_id": "c"},
			map[string]any{"tasker.correlation_id": "a", "tasker.traceparent": "b", "tasker.event_id": "c"},
			scrub.Counts{},
		},
		"sql": {
			map[string]any{"tasker.sql": "SELECT 1 FROM t WHERE a = 'bob'", "tasker.q": map[string]any{"sql": []any{"a = 1", []byte("b = 2")}}},
			map[string]any{"tasker.sql": "SELECT ? FROM t WHERE a = ?", "tasker.q": map[string]any{"sql": []any{"a = ?", "b = ?"}}},
			scrub.Counts{},
		},
		"backtrace as a list": {
			map[string]any{"tasker.backtrace": []any{"a", "b", "c", "d"}},
			map[string]any{"tasker.backtrace": []any{"a", "b", "c"}},
			scrub.Counts{Truncated: 1},
		},
		"backtrace as a text": {
			map[string]any{"tasker.backtrace": "a\nb\nc\nd\ne", "exception.stacktrace": "a\nb\nc\n…"},
			map[string]any{"tasker.backtrace": "a\nb\nc\n…", "exception.stacktrace": "a\nb\nc\n…"},
			scrub.Counts{Truncated: 1},
		},
		"long texts": {
			map[string]any{"tasker.a": long, "tasker.b": []any{long}, "tasker.c": strings.Repeat("x", 64)},
			map[string]any{"tasker.a": long[:60] + "…", "tasker.b": []any{long[:60] + "…"}, "tasker.c": strings.Repeat("x", 64)},
			scrub.Counts{Truncated: 2},
		},
		"bytes": {
			map[string]any{"tasker.a": make([]byte, 100)}, map[string]any{"tasker.a": make([]byte, 64)},
			scrub.Counts{Truncated: 1},
		},
		"large structures": {
			map[string]any{"tasker.a": []any{[]any{long, long, long}, "no room"}, "tasker.b": []any{"own room"}},
			map[string]any{"tasker.a": []any{[]any{long[:60] + "…", long[:60] + "…"}}, "tasker.b": []any{"own room"}},
			scrub.Counts{Truncated: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := plog.NewLogRecord()
			require.NoError(t, record.Attributes().FromRaw(test.attrs))
			pass := newScrubber().NewPass()

			pass.Scrub(record)

			assert.Equal(t, test.want, record.Attributes().AsRaw())
			assert.Equal(t, test.counts, pass.Counts)
		})
	}
}

func TestScrubBody(t *testing.T) {
	record := plog.NewLogRecord()
	require.NoError(t, record.Body().FromRaw(map[string]any{"task_context": "x", "email": "y", "step": "z"}))
	pass := newScrubber().NewPass()
	pass.Scrub(record)
	assert.Equal(t, map[string]any{"email": "[FILTERED]", "step": "z"}, record.Body().AsRaw())

	record.Body().SetStr(strings.Repeat("x", 100))
	pass.Scrub(record)
	assert.Len(t, record.Body().Str(), 64)
}

// No value under a sensitive key survives, at any depth; strings respect their limit and end at whole characters.
func TestNothingSensitiveSurvives(t *testing.T) {
	const secret = "S3CR3T"
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		text := rapid.Map(rapid.String(), func(s string) any { return s })
		if depth == 0 {
			return text
		}
		return rapid.OneOf(text,
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(s []any) any { return s }),
			rapid.Map(rapid.MapOfN(rapid.StringMatching("[a-z]{1,3}"), value(depth-1), 0, 3), func(m map[string]any) any {
				if len(m) > 1 {
					m["user_Secret_id"] = []any{secret, map[string]any{"x": secret}}
				}
				return m
			}))
	}
	scrubber := newScrubber()
	rapid.Check(t, func(t *rapid.T) {
		record := plog.NewLogRecord()
		raw := map[string]any{"tasker.a": value(3).Draw(t, "value"), "tasker.otp": secret}
		if err := record.Attributes().FromRaw(raw); err != nil {
			t.Fatal(err)
		}
		scrubber.NewPass().Scrub(record)
		var check func(v any)
		check = func(v any) {
			switch v := v.(type) {
			case string:
				if strings.Contains(v, secret) || len(v) > 64 || !utf8.ValidString(v) {
					t.Fatalf("%q", v)
				}
			case []any:
				for _, e := range v {
					check(e)
				}
			case map[string]any:
				for _, e := range v {
					check(e)
				}
			}
		}
		check(record.Attributes().AsRaw())
	})
}
