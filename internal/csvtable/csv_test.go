// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

func TestColumnsAreSortedAndStay(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	fixed := []string{"timestamp", "name", "type", "value", "service.name", "quantile"}

	table.Observe(gauge("g", 1, 10, Label{Key: "status", Value: "success"}), noon())
	assert.Equal(t, append(fixed[:6:6], "status"), read(t, table)[0])

	table.Observe(gauge("g", 1, 10, Label{Key: "event", Value: "task.completed"}), noon())
	assert.Equal(t, append(fixed[:6:6], "event", "status"), read(t, table)[0])

	table.Observe(Point{Owner: shop(), Name: "g", Labels: []Label{{Key: "event", Value: "task.completed"}}, Gone: true}, noon())
	records := read(t, table)
	assert.Equal(t, append(fixed[:6:6], "event", "status"), records[0])
	assert.Equal(t, []string{"0", "g", "gauge", "1", "shop", "", "", "success"}, records[1])
}

func TestLabelsThatCollideWithColumns(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	labels := []Label{
		{Key: "label.name", Value: "1"},
		{Key: "name", Value: "2"},
		{Key: "quantile", Value: "3"},
		{Key: "service.name", Value: "4"},
		{Key: "zone", Value: "5"},
	}
	table.Observe(gauge("g", 1, 10, labels...), noon())
	records := read(t, table)
	assert.Equal(t, []string{"label.label.name", "label.name", "label.quantile", "label.service.name", "zone"}, records[0][6:])
	assert.Equal(t, []string{"1", "2", "3", "4", "5"}, records[1][6:])
}

func TestModes(t *testing.T) {
	histogram := Explicit{
		Stats:  Stats{Count: 4, Sum: 7.5, Min: math.NaN(), Max: math.NaN()},
		Bounds: []float64{1, 2.5},
		Counts: []uint64{2, 1, 1},
	}
	exponential := Exponential{
		Stats:     Stats{Count: 4, Sum: math.NaN(), Min: math.NaN(), Max: math.NaN()},
		ZeroCount: 1,
		Positive:  Side{Offset: 0, Counts: []uint64{1, 0, 1}},
		Negative:  Side{Offset: 1, Counts: []uint64{1}},
	}
	summary := Quantiles{Stats: Stats{Count: 2, Sum: 3}, Points: []Quantile{{Q: 0.9, Value: 1.75}}}
	tests := map[Mode][][]string{
		// name, type, value, quantile or le
		ModeSummary: {
			{"expo_count", "histogram", "4", ""},
			{"expo", "histogram", "0", "0.5"},
			{"hist_count", "histogram", "4", ""},
			{"hist_sum", "histogram", "7.5", ""},
			{"hist", "histogram", "1", "0.5"},
			{"summ_count", "summary", "2", ""},
			{"summ_sum", "summary", "3", ""},
			{"summ", "summary", "1.75", "0.9"},
		},
		ModeQuantiles: {
			{"expo", "histogram", "0", "0.5"},
			{"hist", "histogram", "1", "0.5"},
			{"summ", "summary", "1.75", "0.9"},
		},
		ModeBuckets: {
			{"expo_count", "histogram", "4", ""},
			{"expo_bucket", "histogram", "1", "-2"},
			{"expo_bucket", "histogram", "2", "0"},
			{"expo_bucket", "histogram", "3", "2"},
			{"expo_bucket", "histogram", "4", "8"},
			{"expo_bucket", "histogram", "4", "+Inf"},
			{"hist_count", "histogram", "4", ""},
			{"hist_sum", "histogram", "7.5", ""},
			{"hist_bucket", "histogram", "2", "1"},
			{"hist_bucket", "histogram", "3", "2.5"},
			{"hist_bucket", "histogram", "4", "+Inf"},
			{"summ_count", "summary", "2", ""},
			{"summ_sum", "summary", "3", ""},
			{"summ", "summary", "1.75", ""},
		},
	}
	for mode, want := range tests {
		t.Run(string(mode), func(t *testing.T) {
			layout := testLayout()
			layout.Mode = mode
			table := New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
			table.Observe(Point{Owner: shop(), Name: "hist", Kind: Histogram, Value: histogram}, noon())
			table.Observe(Point{Owner: shop(), Name: "expo", Kind: Histogram, Value: exponential}, noon())
			table.Observe(Point{Owner: shop(), Name: "summ", Kind: Summary, Value: summary}, noon())

			records := read(t, table)
			by := "quantile"
			if mode == ModeBuckets {
				by = "le"
				assert.Contains(t, column(t, records, "quantile"), "0.9", "a summary has quantiles in any mode")
			}
			names, types, values, bys := column(t, records, "name"), column(t, records, "type"), column(t, records, "value"), column(t, records, by)
			var got [][]string
			for i := range names {
				got = append(got, []string{names[i], types[i], values[i], bys[i]})
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestTimestamps(t *testing.T) {
	const at = 1_772_366_400_123_456_789 // 2026-03-01T12:00:00.123456789Z
	tests := map[csvtext.TimeFormat]string{
		csvtext.TimeRFC3339Nano: "2026-03-01T12:00:00.123456789Z",
		csvtext.TimeUnix:        "1772366400",
		csvtext.TimeUnixMilli:   "1772366400123",
	}
	for format, want := range tests {
		layout := testLayout()
		layout.Time = format
		table := New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
		table.Observe(gauge("g", 1, at), noon())
		assert.Equal(t, []string{want}, column(t, read(t, table), "timestamp"), "%s", format)
	}

	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(gauge("g", 1, 0), noon())
	assert.Equal(t, []string{"1772366400"}, column(t, read(t, table), "timestamp"), "without a time: when it came")
}

// Texts round-trip, except for line feeds, tabs and control characters.
func TestCellsComeBackAsTheyWere(t *testing.T) {
	for _, delimiter := range []rune{',', ';', '\t', '|'} {
		layout := testLayout()
		layout.Delimiter = delimiter
		table := New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
		value := "comma, semicolon; tab\t pipe| \"quoted\"\nsecond line, ümlaut"
		table.Observe(gauge("g", -5, 10, Label{Key: "a, \"b\"\n;|\t", Value: value}), noon())
		records := read(t, table)
		assert.Equal(t, `a, "b"\n;|\t`, records[0][6])
		assert.Equal(t, printable.Value(value), records[1][6])
		assert.NotContains(t, records[1][6], "\n")
		assert.Equal(t, "-5", records[1][3])
	}
}

func TestGuardedCells(t *testing.T) {
	point := gauge("=name", 1, 10, Label{Key: "@key", Value: "+value"})
	point.Owner = NewOwner("", []string{"-service"})

	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(point, noon())
	records := read(t, table)
	assert.Equal(t, "'@key", records[0][6])
	assert.Equal(t, []string{"0", "'=name", "gauge", "1", "'-service", "", "'+value"}, records[1])

	layout := testLayout()
	layout.Guard = false
	table = New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(point, noon())
	records = read(t, table)
	assert.Equal(t, "@key", records[0][6])
	assert.Equal(t, []string{"0", "=name", "gauge", "1", "-service", "", "+value"}, records[1])
}

func TestInvalidUTF8(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(gauge("g", 1, 10, Label{Key: "a", Value: "x\xff"}), noon())
	assert.Equal(t, "x\uFFFD", read(t, table)[1][6])
}

func TestChosenColumns(t *testing.T) {
	layout := testLayout()
	layout.Columns = []string{"value", "status", "labels", "never", "name", "label.value"}
	table := New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(gauge("g", 7, 10, Label{Key: "more", Value: "x"}, Label{Key: "other", Value: "y"}, Label{Key: "status", Value: "ok"}, Label{Key: "value", Value: "v"}), noon())
	table.Observe(gauge("h", 8, 10, Label{Key: "status", Value: "ok"}), noon())
	assert.Equal(t, [][]string{
		{"value", "status", "labels", "never", "name", "label.value"},
		{"7", "ok", `{"more":"x","other":"y"}`, "", "g", "v"},
		{"8", "ok", "", "", "h", ""},
	}, read(t, table))
	assert.False(t, table.Adopt([]string{"value", "status"}), "chosen columns are for ever")
}

// TestLabelCalledLabels checks that the column "labels" holds the labels without a column even if a label has that name.
func TestLabelCalledLabels(t *testing.T) {
	layout := testLayout()
	layout.Columns = []string{"name", "labels"}
	table := New(layout, Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(gauge("g", 1, 10, Label{Key: "labels", Value: "x"}, Label{Key: "zone", Value: "y"}), noon())
	assert.Equal(t, [][]string{{"name", "labels"}, {"g", `{"labels":"x","zone":"y"}`}}, read(t, table))
}

func TestAdoptedColumns(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 3})
	table.Observe(gauge("g", 1, 10, Label{Key: "=a", Value: "x"}, Label{Key: "name", Value: "y"}), noon())
	header := table.Header()
	again := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 3})
	require.True(t, again.Adopt(header))
	assert.Equal(t, header, again.Header())
	again.Observe(gauge("g", 1, 10, Label{Key: "name", Value: "y"}), noon())
	assert.Equal(t, header, read(t, again)[0])

	for _, foreign := range [][]string{nil, {"id", "text"}, append([]string{"x"}, header[1:]...), append(header, "b", "c", "d")} {
		assert.False(t, New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 3}).Adopt(foreign))
	}
}

func TestFreshRows(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	fresh := func() []string {
		var text bytes.Buffer
		out := csv.NewWriter(&text)
		_, err := table.WriteRows(out, true)
		require.NoError(t, err)
		out.Flush()
		var names []string
		rows, err := csv.NewReader(&text).ReadAll()
		require.NoError(t, err)
		for _, row := range rows {
			names = append(names, row[1])
		}
		return names
	}
	table.Observe(gauge("a", 1, 10), noon())
	table.Observe(gauge("b", 1, 10), noon())
	assert.Equal(t, []string{"a", "b"}, fresh())
	table.Settle()
	assert.Empty(t, fresh())
	table.Observe(gauge("b", 2, 11), noon())
	assert.Equal(t, []string{"b"}, fresh())
	table.Undo()
	assert.Empty(t, fresh(), "what was taken back is not new")
}

func TestWriteError(t *testing.T) {
	table := New(testLayout(), Limits{Series: 10000, Bytes: 1 << 30, Columns: 10})
	for i := range 1000 {
		table.Observe(gauge("g", 1, 10, Label{Key: "a", Value: string(rune('a' + i))}), noon())
	}
	_, err := table.WriteCSV(fullDisk{})
	require.ErrorIs(t, err, errFull)
}

var errFull = errors.New("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func BenchmarkObserve(b *testing.B) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	point := delta("tasker.task.executions", Int(1), 0)
	point.Labels = []Label{{Key: "status", Value: "success"}, {Key: "task_name", Value: "order_processing"}}
	table.Observe(point, noon())
	b.ReportAllocs()
	for b.Loop() {
		table.Begin()
		table.Observe(point, noon())
	}
}

func BenchmarkWriteCSV(b *testing.B) {
	table := New(testLayout(), Limits{Series: 100000, Bytes: 1 << 30, Columns: 10})
	for i := range 10_000 {
		labels := []Label{{Key: "status", Value: "success"}, {Key: "task_name", Value: "order_" + string(rune(0x4e00+i))}}
		table.Observe(gauge("tasker.tasks.active", int64(i), 1, labels...), noon())
	}
	var file bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		file.Reset()
		if _, err := table.WriteCSV(&file); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(file.Len()))
}
