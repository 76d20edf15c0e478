package metrictable

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// WriteCSV writes the header and all rows and returns the number of rows.
func (t *Table) WriteCSV(w io.Writer) (int, error) {
	out := rowWriter{
		csv:        csv.NewWriter(w),
		layout:     t.layout,
		fixed:      len(t.layout.fixedColumns()),
		leColumn:   4 + len(t.layout.ResourceColumns), // if there is one
		quantCol:   len(t.layout.fixedColumns()) - 1,
		labelIndex: t.position,
	}
	out.csv.Comma = t.layout.Delimiter
	out.record = t.layout.header(t.columns)
	out.write()
	for _, s := range t.rows() {
		out.series(s)
		if out.err != nil {
			return 0, out.err
		}
	}
	out.csv.Flush()
	return out.rows - 1, out.csv.Error()
}

// rowWriter writes the rows of one snapshot. It reuses one record; the first error stays.
type rowWriter struct {
	csv        *csv.Writer
	layout     Layout
	record     []string
	fixed      int // columns before the labels
	leColumn   int
	quantCol   int
	labelIndex map[string]int
	rows       int
	err        error
}

func (w *rowWriter) write() {
	if w.err == nil {
		w.err = w.csv.Write(w.record)
		w.rows++
	}
}

// series writes the rows of a series.
func (w *rowWriter) series(s *series) {
	clear(w.record)
	w.record[0] = w.timestamp(s)
	w.record[2] = s.kind.String()
	for i, cell := range s.owner.cells {
		w.record[4+i] = w.layout.text(cell)
	}
	for _, label := range s.labels {
		w.record[w.fixed+w.labelIndex[label.Key]] = w.layout.text(label.Value)
	}

	switch v := s.value.(type) {
	case Int:
		w.row(s.name, strconv.FormatInt(int64(v), 10))
	case Double:
		w.row(s.name, number(float64(v)))
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
	w.record[1] = w.layout.text(name)
	w.record[3] = value
	w.write()
}

func (w *rowWriter) countAndSum(name string, stats Stats) {
	if w.layout.Mode == ModeQuantiles {
		return
	}
	w.row(name+"_count", strconv.FormatUint(stats.Count, 10))
	if !math.IsNaN(stats.Sum) {
		w.row(name+"_sum", number(stats.Sum))
	}
}

func (w *rowWriter) quantile(name string, q, value float64) {
	w.record[w.quantCol] = number(q)
	w.row(name, number(value))
	w.record[w.quantCol] = ""
}

// buckets writes cumulative buckets, as Prometheus has them: each row counts everything up to its bound.
func (w *rowWriter) buckets(name string, h distribution) {
	var upTo uint64
	for b := range h.buckets {
		upTo += b.count
		if math.IsInf(b.upper, 1) {
			break
		}
		w.record[w.leColumn] = number(b.upper)
		w.row(name+"_bucket", strconv.FormatUint(upTo, 10))
	}
	w.record[w.leColumn] = number(math.Inf(1))
	w.row(name+"_bucket", strconv.FormatUint(h.stats().Count, 10))
	w.record[w.leColumn] = ""
}

func (w *rowWriter) timestamp(s *series) string {
	at := s.updated
	if s.at != 0 {
		at = time.Unix(0, s.at)
	}
	switch w.layout.Time {
	case TimeUnix:
		return strconv.FormatInt(at.Unix(), 10)
	case TimeUnixMilli:
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// number writes a float with all its digits and without an exponent where that stays readable.
func number(v float64) string {
	format := byte('f')
	if magnitude := math.Abs(v); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		format = 'g'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// ValidDelimiter reports whether r can separate cells; what is excluded is what encoding/csv refuses.
func ValidDelimiter(r rune) bool {
	return r != 0 && !slices.Contains([]rune{'"', '\r', '\n', '\uFFFD'}, r)
}
