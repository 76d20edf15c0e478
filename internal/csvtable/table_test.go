// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"bytes"
	"encoding/csv"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func testLayout() Layout {
	return Layout{
		ResourceColumns: []string{"service.name"},
		Mode:            ModeSummary,
		Quantiles:       []float64{0.5},
		Style:           csvtext.Style{Time: csvtext.TimeUnix, Guard: true},
		Delimiter:       ',',
	}
}

func shop() *Owner { return NewOwner("", []string{"shop"}, "service.name", "shop") }

func gauge(name string, value int64, at int64, labels ...Label) Point {
	return Point{Owner: shop(), Name: name, Kind: Gauge, Labels: labels, At: at, Value: Int(value)}
}

func delta(name string, value Value, at int64) Point {
	return Point{Owner: shop(), Name: name, Kind: Counter, At: at, Delta: true, Value: value}
}

// read renders the table and parses the result.
func read(t *testing.T, table *Table) [][]string {
	t.Helper()
	var file bytes.Buffer
	rows, err := table.WriteCSV(&file)
	require.NoError(t, err)
	reader := csv.NewReader(&file)
	reader.Comma = table.layout.Delimiter
	records, err := reader.ReadAll()
	require.NoError(t, err)
	assert.Len(t, records, rows+1, "rows without the header")
	return records
}

// column returns the cells of a column without its header.
func column(t *testing.T, records [][]string, name string) []string {
	t.Helper()
	for i, header := range records[0] {
		if header != name {
			continue
		}
		cells := []string{}
		for _, record := range records[1:] {
			cells = append(cells, record[i])
		}
		return cells
	}
	require.Failf(t, "no such column", "%q in %q", name, records[0])
	return nil
}

func TestObserve(t *testing.T) {
	explicit := func(bounds []float64, counts ...uint64) Explicit {
		h := Explicit{Stats: Stats{Min: math.NaN(), Max: math.NaN()}, Bounds: bounds, Counts: counts}
		for _, count := range counts {
			h.Count += count
		}
		return h
	}
	tests := map[string]struct {
		points []Point
		last   Outcome
		values []string
	}{
		"a later value replaces the one before": {
			points: []Point{gauge("g", 1, 10), gauge("g", 2, 20)},
			values: []string{"2"},
		},
		"an older value does not": {
			points: []Point{gauge("g", 2, 20), gauge("g", 1, 10)},
			last:   OutOfOrder,
			values: []string{"2"},
		},
		"the same value again is no harm": {
			points: []Point{gauge("g", 2, 20), gauge("g", 2, 20)},
			values: []string{"2"},
		},
		"without times the order of arrival counts": {
			points: []Point{gauge("g", 2, 0), gauge("g", 1, 0)},
			values: []string{"1"},
		},
		"deltas add up": {
			points: []Point{delta("c", Int(1), 10), delta("c", Int(2), 20), delta("c", Int(3), 30)},
			values: []string{"6"},
		},
		"a delta that comes again is not added again": {
			points: []Point{delta("c", Int(1), 10), delta("c", Int(2), 20), delta("c", Int(2), 20)},
			last:   OutOfOrder,
			values: []string{"3"},
		},
		"integers and doubles add up": {
			points: []Point{delta("c", Int(1), 10), delta("c", Double(0.5), 20), delta("c", Int(2), 30)},
			values: []string{"3.5"},
		},
		"a total that overflows becomes a double": {
			points: []Point{delta("c", Int(math.MaxInt64), 10), delta("c", Int(1), 20)},
			values: []string{"9223372036854776000"},
		},
		"histograms add up": {
			points: []Point{
				delta("h", explicit([]float64{1}, 3, 0), 10),
				delta("h", explicit([]float64{1}, 1, 2), 20),
			},
			values: []string{"6", "0", "0.75"},
		},
		"other buckets start a new total": {
			points: []Point{
				delta("h", explicit([]float64{1}, 3, 0), 10),
				delta("h", explicit([]float64{2}, 4, 0), 20),
			},
			last:   LayoutChanged,
			values: []string{"4", "0", "1"},
		},
		"a series that ended leaves": {
			points: []Point{gauge("g", 1, 10), {Owner: shop(), Name: "g", Kind: Gauge, At: 20, Gone: true}},
			values: []string{},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
			var last Outcome
			for _, point := range test.points {
				last = table.Observe(point, noon())
			}
			assert.Equal(t, test.last, last, "outcome %s", last)
			assert.Equal(t, test.values, column(t, read(t, table), "value"))
		})
	}
}

func TestIdentity(t *testing.T) {
	label := func(key, value string) Label { return Label{Key: key, Value: value} }
	table := New(testLayout(), Limits{Series: 1000, Bytes: 1 << 30, Columns: 10})
	points := []Point{
		gauge("ab", 1, 0),
		gauge("a", 2, 0, label("b", "")),
		gauge("a", 3, 0, label("", "b")),
		gauge("a", 4, 0, label("x", "1"), label("y", "2")),
		gauge("a", 5, 0, label("x", "1y"), label("y", "")),
		{Owner: NewOwner("", []string{"shop"}, "service.name", "shop", "instance", "1"), Name: "ab", Value: Int(6)},
		{Owner: NewOwner("", []string{"shop"}, "service.name", "shopinstance", "1"), Name: "ab", Value: Int(7)},
	}
	for _, point := range points {
		require.Equal(t, Kept, table.Observe(point, noon()))
	}
	assert.Equal(t, len(points), table.Series())
}

func TestLimits(t *testing.T) {
	table := New(testLayout(), Limits{Series: 6, Bytes: 1 << 30, Columns: 1}) // an application may take two
	task := Label{Key: "task_name", Value: "order"}
	status := Label{Key: "status", Value: "success"}

	assert.Equal(t, ColumnLimit, table.Observe(gauge("g", 1, 10, status, task), noon()))
	assert.Zero(t, table.Columns(), "a series that does not fit leaves no column behind")
	assert.Equal(t, Kept, table.Observe(gauge("g", 2, 10, task), noon()))
	assert.Equal(t, ColumnLimit, table.Observe(gauge("g", 3, 10, status), noon()))
	assert.Equal(t, Kept, table.Observe(gauge("other", 4, 10, task), noon()))
	assert.Equal(t, SeriesLimit, table.Observe(gauge("third", 5, 10), noon()))
	assert.Equal(t, Kept, table.Observe(gauge("g", 6, 20, task), noon()), "known series go on at the limit")
	assert.Equal(t, []string{"6", "4"}, column(t, read(t, table), "value"))

	assert.Equal(t, 2, table.Expire(noon().Add(2*time.Hour), time.Hour))
	assert.Equal(t, Kept, table.Observe(gauge("third", 5, 10), noon()), "expiry makes room")
}

func TestUndo(t *testing.T) {
	table := New(testLayout(), Limits{Series: 30, Bytes: 1 << 30, Columns: 10})
	table.Observe(delta("c", Int(1), 10), noon())
	table.Observe(gauge("ends", 7, 10), noon())
	before := read(t, table)

	batch := func() []Outcome {
		table.Begin()
		return []Outcome{
			table.Observe(delta("c", Int(2), 20), noon()),
			table.Observe(delta("c", Int(4), 30), noon()),
			table.Observe(gauge("new", 1, 10), noon()),
			table.Observe(Point{Owner: shop(), Name: "ends", Gone: true}, noon()),
			table.Observe(gauge("ends", 8, 40), noon()),
		}
	}
	first := batch()
	table.Undo()
	assert.Equal(t, before, read(t, table))

	assert.Equal(t, first, batch(), "a retry has the same effect as the first attempt")
	assert.Equal(t, []string{"7", "8", "1"}, column(t, read(t, table), "value"))
	table.Begin()
	table.Undo()
	assert.Equal(t, []string{"7", "8", "1"}, column(t, read(t, table), "value"), "what was accepted stays")
}

func TestExpire(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 30, Columns: 10})
	table.Observe(gauge("old", 1, 10, Label{Key: "a", Value: "x"}), noon())
	table.Observe(gauge("young", 2, 10), noon().Add(time.Minute))

	assert.Zero(t, table.Expire(noon().Add(time.Hour), time.Hour))
	assert.Equal(t, 1, table.Expire(noon().Add(time.Hour+time.Second), time.Hour))
	records := read(t, table)
	assert.Equal(t, []string{"young"}, column(t, records, "name"))
	assert.Equal(t, []string{""}, column(t, records, "a"), "the column of a series that is gone stays")
}
