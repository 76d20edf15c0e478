// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Label is a label of a series.
type Label struct {
	Key   string
	Value string
}

// Owner identifies the resource and scope of a series.
type Owner struct {
	application string
	key         string
	cells       []string
}

// NewOwner returns the owner with these values of the layout's resource columns, in their order. Owners are equal if all
// parts of identity are. Each application has a share of the table. Cells must not change afterwards.
func NewOwner(application string, cells []string, identity ...string) *Owner {
	var key []byte
	for _, part := range identity {
		key = appendPart(key, part)
	}
	return &Owner{application: application, key: string(key), cells: cells}
}

// Point is a data point. The table keeps Owner and Value, which must not change afterwards, and copies Labels if needed.
type Point struct {
	Owner *Owner
	Name  string
	Kind  Kind
	// Labels must be sorted by key.
	Labels []Label
	// At is the time of the measurement in Unix nanoseconds; 0 if unknown.
	At int64
	// Delta means that Value is the change since the previous point.
	Delta bool
	// Gone means that the series has ended (OTLP's "no recorded value"); Value is ignored.
	Gone  bool
	Value Value
}

// Outcome is the result of observing a point: the reason why it was not stored or did not continue its series, as in the
// telemetry attribute "reason", or Kept.
type Outcome string

const (
	// Kept means that the point was stored, or that the ended series was removed.
	Kept Outcome = ""
	// OutOfOrder means that the point is older than the stored one, or a delta that was added before.
	OutOfOrder Outcome = "out_of_order"
	// SeriesLimit means that a new series, or one with more buckets, does not fit into the table or the application's
	// share.
	SeriesLimit Outcome = "series_limit"
	// ColumnLimit means that a new series needs more label columns than allowed.
	ColumnLimit Outcome = "column_limit"
	// LayoutChanged means that a delta could not be added because its buckets or type differ. The series restarts with this
	// point.
	LayoutChanged Outcome = "layout_changed"
)

// Limits bounds a table.
type Limits struct {
	// Series is the maximum number of series and Bytes the maximum of their estimated size. Each application has a share.
	Series int
	Bytes  int64
	// Columns is the maximum number of label columns over the table's lifetime.
	Columns int
}

// Table holds the latest value of each series and the label columns seen so far. Columns are never removed, so that a
// file's header only grows.
type Table struct {
	layout Layout
	limits Limits

	series map[string]*series
	// order is the series in row order; nil if it must be rebuilt.
	order []*series
	// columns are the label keys seen so far, sorted by column name; position is their index.
	columns  []string
	position map[string]int

	// room is shared by all series, and held is each application's part of it.
	room *shares.Room
	held map[string]*shares.Size

	journal []change
	key     []byte // scratch
}

type series struct {
	key    string
	owner  *Owner
	name   string
	labels []Label
	state
}

// state is the part of a series that points change.
type state struct {
	kind    Kind
	value   Value
	at      int64     // as Point.At
	ahead   int64     // sum of the clock's setbacks since that point
	bytes   int64     // estimated size
	updated time.Time // when the last point was received
	fresh   bool      // updated since Settle
}

// change reverts one Observe.
type change struct {
	series *series
	before state
	// existed is false if the point created the series.
	existed bool
}

// New returns an empty table.
func New(layout Layout, limits Limits) *Table {
	return &Table{
		layout:   layout,
		limits:   limits,
		series:   map[string]*series{},
		position: map[string]int{},
		room:     shares.New(shares.Size{Items: int64(limits.Series), Bytes: limits.Bytes}),
		held:     map[string]*shares.Size{},
	}
}

// heldBy returns the part of the room that the owner's application uses.
func (t *Table) heldBy(owner *Owner) *shares.Size {
	held, known := t.held[owner.application]
	if !known {
		held = &shares.Size{}
		t.held[owner.application] = held
	}
	return held
}

// SetBack records that the clock was set back, so that points with an older time may be newer.
func (t *Table) SetBack(by time.Duration) {
	for _, s := range t.series {
		s.ahead += by.Nanoseconds()
	}
}

// Series returns the number of series.
func (t *Table) Series() int { return len(t.series) }

// Columns returns the number of label columns.
func (t *Table) Columns() int { return len(t.columns) }

// Begin starts a change: everything observed until Settle or Undo.
func (t *Table) Begin() {
	clear(t.journal)
	t.journal = t.journal[:0]
}

// Undo reverts the change that Begin started, except for new columns, which are harmless and come back with a retry.
func (t *Table) Undo() {
	for _, c := range slices.Backward(t.journal) {
		if !c.existed {
			t.remove(c.series)
			continue
		}
		held := t.heldBy(c.series.owner)
		if t.series[c.series.key] == c.series {
			t.room.Remove(held, c.series.bytes)
		} else {
			t.series[c.series.key] = c.series
			t.order = nil
		}
		c.series.state = c.before
		t.room.Add(held, c.series.bytes)
	}
	t.Begin()
}

// Settle ends the change that Begin started; its series are no longer fresh for WriteRows.
func (t *Table) Settle() {
	t.Begin()
	for _, s := range t.series {
		s.fresh = false
	}
}

// Header returns the header row.
func (t *Table) Header() []string { return t.layout.header(t.columns) }

// Adopt takes over the label columns of an existing file's header, so that it only grows across restarts. It returns false
// and changes nothing if the other columns do not match the layout.
func (t *Table) Adopt(header []string) bool {
	fixed := t.layout.header(nil)
	if t.layout.Columns != nil || len(header) < len(fixed) || !slices.Equal(header[:len(fixed)], fixed) {
		return false
	}
	var labels []Label
	for _, cell := range header[len(fixed):] {
		if t.layout.Guard {
			cell = csvtext.Unguard(cell)
		}
		labels = append(labels, Label{Key: t.layout.labelOf(cell)})
	}
	return t.addColumns(labels)
}

// chosen returns the indexes of the layout's columns in a complete record; nil if the layout lists none.
func (t *Table) chosen() []int {
	if t.layout.Columns == nil {
		return nil
	}
	all := t.layout.allColumns(t.columns)
	places := make([]int, len(t.layout.Columns))
	for i, column := range t.layout.Columns {
		places[i] = slices.Index(all, column)
		if places[i] < 0 && column == columnOthers {
			places[i] = placeOthers
		}
	}
	return places
}

// Observe adds a point.
func (t *Table) Observe(p Point, now time.Time) Outcome {
	t.key = appendKey(t.key[:0], p)
	s, exists := t.series[string(t.key)]
	switch {
	case p.Gone:
		if exists {
			t.journal = append(t.journal, change{series: s, before: s.state, existed: true})
			t.remove(s)
		}
		return Kept
	case !exists:
		return t.add(p, now)
	}

	if p.At != 0 && s.at != 0 {
		if p.At < s.at-s.ahead || (p.Delta && p.At == s.at) {
			return OutOfOrder
		}
	}
	value, outcome := p.Value, Kept
	if p.Delta {
		total, ok := s.value.plus(p.Value)
		if !ok {
			outcome = LayoutChanged
		}
		value = total
	}
	bytes := s.size(value)
	if !t.room.Resize(t.heldBy(s.owner), bytes-s.bytes) {
		return SeriesLimit
	}
	t.journal = append(t.journal, change{series: s, before: s.state, existed: true})
	s.state = state{kind: p.Kind, value: value, at: p.At, bytes: bytes, updated: now, fresh: true}
	return outcome
}

func (t *Table) add(p Point, now time.Time) Outcome {
	s := &series{
		key:    string(t.key),
		owner:  p.Owner,
		name:   p.Name,
		labels: slices.Clone(p.Labels),
		state:  state{kind: p.Kind, value: p.Value, at: p.At, updated: now, fresh: true},
	}
	s.bytes = s.size(p.Value)
	if !t.room.Take(t.heldBy(p.Owner), s.bytes) {
		t.forget(p.Owner)
		return SeriesLimit
	}
	if !t.addColumns(p.Labels) {
		t.room.Remove(t.heldBy(p.Owner), s.bytes)
		t.forget(p.Owner)
		return ColumnLimit
	}
	t.series[s.key] = s
	t.order = nil
	t.journal = append(t.journal, change{series: s})
	return Kept
}

// addColumns adds missing label columns. If the limit forbids that it changes nothing and returns false.
func (t *Table) addColumns(labels []Label) bool {
	var fresh []string
	for _, label := range labels {
		if _, known := t.position[label.Key]; !known && !slices.Contains(fresh, label.Key) {
			fresh = append(fresh, label.Key)
		}
	}
	if len(fresh) == 0 {
		return true
	}
	if len(t.columns)+len(fresh) > t.limits.Columns {
		return false
	}
	t.columns = append(t.columns, fresh...)
	slices.SortFunc(t.columns, func(a, b string) int {
		return strings.Compare(t.layout.labelColumn(a), t.layout.labelColumn(b))
	})
	for i, column := range t.columns {
		t.position[column] = i
	}
	return true
}

func (t *Table) remove(s *series) {
	delete(t.series, s.key)
	t.order = nil
	t.room.Remove(t.heldBy(s.owner), s.bytes)
	t.forget(s.owner)
}

// forget removes the share of an application without series.
func (t *Table) forget(owner *Owner) {
	if held := t.held[owner.application]; held != nil && held.Items == 0 {
		delete(t.held, owner.application)
	}
}

const (
	// seriesBytes is the size of a series besides its texts and numbers.
	seriesBytes = 400
	// textCopies is how often the texts of a series are in memory: in its key, in its labels, and while it is written.
	textCopies  = 3
	numberBytes = 8
)

// size estimates the bytes of a series with a given value.
func (s *series) size(value Value) int64 {
	return int64(seriesBytes + textCopies*len(s.key) + numberBytes*value.numbers())
}

// Expire removes the series without a point for longer than age and returns their number. It ends the change that Begin
// started.
func (t *Table) Expire(now time.Time, age time.Duration) int {
	t.Begin()
	removed := 0
	for _, s := range t.series {
		if now.Sub(s.updated) > age {
			t.remove(s)
			removed++
		}
	}
	return removed
}

// rows returns the series in file order: by name, resource and labels.
func (t *Table) rows() []*series {
	if t.order != nil || len(t.series) == 0 {
		return t.order
	}
	t.order = slices.SortedFunc(maps.Values(t.series), func(a, b *series) int {
		return cmp.Or(
			strings.Compare(a.name, b.name),
			slices.Compare(a.owner.cells, b.owner.cells),
			slices.CompareFunc(a.labels, b.labels, func(x, y Label) int {
				return cmp.Or(strings.Compare(x.Key, y.Key), strings.Compare(x.Value, y.Value))
			}),
			strings.Compare(a.key, b.key),
		)
	})
	return t.order
}

// appendKey appends the identity of the point's series: owner, name and labels.
func appendKey(key []byte, p Point) []byte {
	key = appendPart(key, p.Owner.key)
	key = appendPart(key, p.Name)
	for _, label := range p.Labels {
		key = appendPart(key, label.Key)
		key = appendPart(key, label.Value)
	}
	return key
}

// appendPart appends text with a length prefix, so that different lists of parts have different keys.
func appendPart(key []byte, text string) []byte {
	key = binary.AppendUvarint(key, uint64(len(text)))
	return append(key, text...)
}
