// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// WriteCSV writes the header and all rows and returns the number of rows.
func (t *Table) WriteCSV(w io.Writer) (int, error) {
	out := csv.NewWriter(w)
	out.Comma = t.layout.Delimiter
	if err := out.Write(t.Header()); err != nil {
		return 0, err
	}
	rows, err := t.WriteRows(out, false)
	out.Flush()
	return rows, errors.Join(err, out.Error())
}

// RowWriter writes a row of cells.
type RowWriter interface {
	Write(row []string) error
}

// WriteRows writes the rows of all series, or only of those updated since [Table.Settle], and returns their number.
func (t *Table) WriteRows(to RowWriter, fresh bool) (int, error) {
	natural := len(t.layout.fixedColumns())
	out := rowWriter{
		out:        to,
		layout:     t.layout,
		record:     make([]string, natural+len(t.columns)),
		fixed:      natural,
		leColumn:   4 + len(t.layout.ResourceColumns), // used with buckets only
		quantCol:   natural - 1,
		labelIndex: t.position,
		chosen:     t.chosen(),
	}
	for _, s := range t.rows() {
		if fresh && !s.fresh {
			continue
		}
		out.series(s)
		if out.err != nil {
			return 0, out.err
		}
	}
	return out.rows, nil
}

// rowWriter writes rows. It reuses one record and keeps the first error.
type rowWriter struct {
	out        RowWriter
	layout     Layout
	record     []string // all columns
	fixed      int      // columns before the labels
	leColumn   int
	quantCol   int
	labelIndex map[string]int
	// chosen are the indexes in record of the layout's columns, if it lists any; row is then the row to write.
	chosen   []int
	selected []string
	others   string // the labels without a column
	rows     int
	err      error
}

func (w *rowWriter) write() {
	if w.err != nil {
		return
	}
	record := w.record
	if w.chosen != nil {
		w.selected = w.selected[:0]
		for _, place := range w.chosen {
			switch place {
			case placeNone:
				w.selected = append(w.selected, "")
			case placeOthers:
				w.selected = append(w.selected, w.others)
			default:
				w.selected = append(w.selected, w.record[place])
			}
		}
		record = w.selected
	}
	w.err = w.out.Write(record)
	w.rows++
}

// series writes all rows of a series.
func (w *rowWriter) series(s *series) {
	clear(w.record)
	w.record[0] = w.timestamp(s)
	w.record[2] = w.layout.Text(string(s.kind))
	for i, cell := range s.owner.cells {
		w.record[4+i] = w.layout.Text(cell)
	}
	if slices.Contains(w.chosen, placeOthers) {
		w.others = w.layout.Object(othersOf(s.labels, w.layout))
	}
	for _, label := range s.labels {
		w.record[w.fixed+w.labelIndex[label.Key]] = w.layout.Text(label.Value)
	}

	switch v := s.value.(type) {
	case Int:
		w.row(s.name, strconv.FormatInt(int64(v), 10))
	case Double:
		w.row(s.name, w.layout.Number(float64(v)))
	case Quantiles:
		w.countAndSum(s.name, v.Stats)
		for _, point := range v.Points {
			w.quantile(s.name, point.Q, point.Value)
		}
	case distribution:
		w.countAndSum(s.name, v.stats())
		if w.layout.Mode == ModeBuckets {
			w.buckets(s.name, v)
			return
		}
		for _, q := range w.layout.Quantiles {
			if value, ok := quantile(v, q); ok {
				w.quantile(s.name, q, value)
			}
		}
	}
}

func (w *rowWriter) row(name, value string) {
	w.record[1] = w.layout.Text(name)
	w.record[3] = value
	w.write()
}

func (w *rowWriter) countAndSum(name string, stats Stats) {
	if w.layout.Mode == ModeQuantiles {
		return
	}
	w.row(name+"_count", strconv.FormatUint(stats.Count, 10))
	if !math.IsNaN(stats.Sum) {
		w.row(name+"_sum", w.layout.Number(stats.Sum))
	}
}

func (w *rowWriter) quantile(name string, q, value float64) {
	w.record[w.quantCol] = w.layout.Number(q)
	w.row(name, w.layout.Number(value))
	w.record[w.quantCol] = ""
}

// buckets writes cumulative buckets as Prometheus does: each row counts all values up to its bound.
func (w *rowWriter) buckets(name string, h distribution) {
	var upTo uint64
	for b := range h.buckets {
		upTo += b.count
		if math.IsInf(b.upper, 1) {
			break
		}
		w.record[w.leColumn] = w.layout.Number(b.upper)
		w.row(name+"_bucket", strconv.FormatUint(upTo, 10))
	}
	w.record[w.leColumn] = w.layout.Number(math.Inf(1))
	w.row(name+"_bucket", strconv.FormatUint(h.stats().Count, 10))
	w.record[w.leColumn] = ""
}

func (w *rowWriter) timestamp(s *series) string {
	at := s.updated
	if s.at != 0 {
		at = time.Unix(0, s.at)
	}
	return w.layout.At(at)
}
