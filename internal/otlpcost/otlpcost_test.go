// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"
)

// in returns a field that holds bytes.
func in(field protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), body)
}

// many repeats a field.
func many(field protowire.Number, body []byte, n int) []byte { return bytes.Repeat(in(field, body), n) }

// inLog returns a request with one record, inSpan with one span, inMetric with one metric.
func inLog(fields []byte) []byte    { return in(1, in(2, in(2, fields))) }
func inSpan(fields []byte) []byte   { return in(1, in(2, in(2, fields))) }
func inMetric(fields []byte) []byte { return in(1, in(2, in(2, fields))) }

// lists and maps are nested values.
func lists(depth int) []byte { return nested(depth, func(v []byte) []byte { return in(5, in(1, v)) }) }
func maps(depth int) []byte {
	return nested(depth, func(v []byte) []byte { return in(6, in(1, in(2, v))) })
}

func nested(depth int, wrap func([]byte) []byte) (value []byte) {
	for range depth {
		value = wrap(value)
	}
	return value
}

// decode returns the decoded request, so that it can be kept in memory.
func decode(signal Signal, data []byte) (kept any, err error) {
	switch signal {
	case Logs:
		r := plogotlp.NewExportRequest()
		return r, r.UnmarshalProto(data)
	case Traces:
		r := ptraceotlp.NewExportRequest()
		return r, r.UnmarshalProto(data)
	}
	r := pmetricotlp.NewExportRequest()
	return r, r.UnmarshalProto(data)
}

// The memory of a decoded request does not exceed its estimate, whatever it contains, and the decoder's allocations do not
// exceed it by much. The former determines memory use, the latter what the garbage collector lags behind.
func TestSizes(t *testing.T) {
	const n = 100_000
	estimator := New(64)
	for name, test := range map[string]struct {
		signal Signal
		data   []byte
	}{
		"resources":       {Logs, many(1, nil, n)},
		"scopes":          {Logs, in(1, many(2, nil, n))},
		"records":         {Logs, in(1, in(2, many(2, nil, n)))},
		"entities":        {Logs, in(1, in(1, many(3, nil, n)))},
		"empty keys":      {Logs, inLog(many(6, nil, n))},
		"empty values":    {Logs, inLog(many(6, in(2, nil), n))},
		"texts":           {Logs, inLog(many(6, append(in(1, []byte("k")), in(2, in(1, []byte("v")))...), n))},
		"elements":        {Logs, inLog(in(5, in(5, many(1, nil, n))))},
		"numbers":         {Logs, inLog(in(5, in(5, many(1, []byte{0x18, 1}, n))))},
		"lists in a list": {Logs, inLog(in(5, in(5, many(1, in(5, nil), n))))},
		"maps in a list":  {Logs, inLog(in(5, in(5, many(1, in(6, nil), n))))},
		"a map":           {Logs, inLog(in(5, in(6, many(1, nil, n))))},
		"deep lists":      {Logs, inLog(in(5, in(5, many(1, lists(60), n/60))))},
		"deep maps":       {Logs, inLog(in(5, in(5, many(1, maps(60), n/60))))},
		"spans":           {Traces, in(1, in(2, many(2, nil, n)))},
		"span events":     {Traces, inSpan(many(11, nil, n))},
		"links":           {Traces, inSpan(many(13, nil, n))},
		"metrics":         {Metrics, in(1, in(2, many(2, nil, n)))},
		"points":          {Metrics, inMetric(in(5, many(1, nil, n)))},
		"histograms":      {Metrics, inMetric(in(9, many(1, nil, n)))},
		"exponential":     {Metrics, inMetric(in(10, many(1, nil, n)))},
		"summaries":       {Metrics, inMetric(in(11, many(1, nil, n)))},
		"exemplars":       {Metrics, inMetric(in(5, in(1, many(5, nil, n))))},
		"quantiles":       {Metrics, inMetric(in(11, in(1, many(6, nil, n))))},
		"packed buckets":  {Metrics, inMetric(in(10, in(1, in(8, in(2, make([]byte, n))))))},
		"fixed buckets":   {Metrics, inMetric(in(9, in(1, in(6, make([]byte, 8*n)))))},
		"buckets":         {Metrics, inMetric(in(10, in(1, in(8, bytes.Repeat([]byte{0x10, 1}, n)))))},
	} {
		t.Run(name, func(t *testing.T) {
			estimate, err := estimator.Protobuf(test.signal, test.data)
			require.NoError(t, err)
			var before, after, held runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			kept, err := decode(test.signal, test.data)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			runtime.GC()
			runtime.ReadMemStats(&held)
			runtime.KeepAlive(kept)
			const noise = 1 << 20
			live, allocated := int64(held.HeapAlloc)-int64(before.HeapAlloc), int64(after.TotalAlloc-before.TotalAlloc)
			require.LessOrEqual(t, live, estimate+noise)
			require.LessOrEqual(t, allocated, 3*estimate+noise)
			require.LessOrEqual(t, estimate, 8*live+noise, "and an estimate, not a guess")
		})
	}
}

func TestDepth(t *testing.T) {
	estimator := New(10)
	for name, value := range map[string]func(int) []byte{"lists": lists, "maps": maps} {
		for signal, data := range map[Signal]func([]byte) []byte{
			Logs:    func(v []byte) []byte { return inLog(in(5, v)) },
			Traces:  func(v []byte) []byte { return inSpan(in(9, in(2, v))) },
			Metrics: func(v []byte) []byte { return inMetric(in(5, in(1, in(7, in(2, v))))) },
		} {
			_, err := estimator.Protobuf(signal, data(value(9)))
			require.NoError(t, err, name)
			_, err = estimator.Protobuf(signal, data(value(10)))
			require.ErrorIs(t, err, ErrDepth, name)
			_, err = estimator.Protobuf(signal, data(value(3000)))
			require.ErrorIs(t, err, ErrDepth, name)
		}
	}
	jsonOf := func(depth int) []byte {
		return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, depth) +
			strings.Repeat(`]}}`, depth) + `}]}]}]}`)
	}
	_, err := estimator.JSON(jsonOf(10))
	require.NoError(t, err)
	_, err = estimator.JSON(jsonOf(20))
	require.ErrorIs(t, err, ErrDepth)
	_, err = estimator.JSON([]byte(`"` + strings.Repeat(`{[\"`, 1000) + `"`))
	require.NoError(t, err, "a text is no structure")
}

// The estimate of a JSON request is not lower than its memory.
func TestJSONSizes(t *testing.T) {
	const n = 100_000
	for name, data := range map[string]string{
		"records":    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat("{},", n) + `{}]}]}]}`,
		"attributes": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[` + strings.Repeat("{},", n) + `{}]}]}]}]}`,
		"elements":   `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[` + strings.Repeat("{},", n) + `{}]}}}]}]}]}`,
	} {
		estimate, err := New(64).JSON([]byte(data))
		require.NoError(t, err)
		var before, held runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := plogotlp.NewExportRequest()
		require.NoError(t, r.UnmarshalJSON([]byte(data)))
		runtime.GC()
		runtime.ReadMemStats(&held)
		runtime.KeepAlive(r)
		require.LessOrEqual(t, int64(held.HeapAlloc)-int64(before.HeapAlloc), estimate+1<<20, name)
	}
}

// FuzzProtobuf checks that every estimate ends, and that it has walked the whole of a request that the decoder accepts.
func FuzzProtobuf(f *testing.F) {
	f.Add(0, inLog(append(in(5, lists(3)), many(6, in(1, []byte("key")), 3)...)))
	f.Add(1, inSpan(append(many(11, in(3, in(2, maps(2))), 2), in(15, nil)...)))
	f.Add(2, inMetric(in(10, in(1, in(8, in(2, []byte{1, 2, 3}))))))
	estimator := New(32)
	f.Fuzz(func(t *testing.T, signal int, data []byte) {
		of := Signal(uint(signal) % 3)
		estimate, err := estimator.Protobuf(of, data)
		if err != nil {
			require.ErrorIs(t, err, ErrDepth)
			return
		}
		if kept, err := decode(of, data); err == nil {
			runtime.KeepAlive(kept)
			require.GreaterOrEqual(t, estimate, int64(len(data))/64, "%d bytes", len(data))
		}
		_, _ = estimator.JSON(data)
	})
}

func BenchmarkProtobuf(b *testing.B) {
	record := append(in(5, in(1, []byte("step process_payment of task 42 completed"))),
		many(6, append(in(1, []byte("tasker.step_name")), in(2, in(1, []byte("process_payment")))...), 10)...)
	data := in(1, in(2, many(2, record, 5000)))
	estimator := New(64)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := estimator.Protobuf(Logs, data); err != nil {
			b.Fatal(err)
		}
	}
}
