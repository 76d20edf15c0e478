// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Label is one label of a series.
type Label struct {
	Key   string
	Value string
}

// Owner is who a series belongs to: a resource and a scope.
type Owner struct {
	application string
	key         string
	cells       []string
}

// NewOwner returns the owner with these values of the layout's resource columns, in their order. Owners are the same if
// all their identity parts are equal. Each application has a share of the table. Cells must not change afterwards.
func NewOwner(application string, cells []string, identity ...string) *Owner {
	var key []byte
	for _, part := range identity {
		key = appendPart(key, part)
	}
	return &Owner{application: application, key: string(key), cells: cells}
}

// Point is one data point. The table keeps Owner and Value, which must not change afterwards, and copies Labels if it
// needs them.
type Point struct {
	Owner *Owner
	Name  string
	Kind  Kind
	// Labels must be sorted by key.
	Labels []Label
	// At is when the value was measured, in nanoseconds since 1970; 0 if the sender did not tell.
	At int64
	// Delta says that Value is the change since the point before, to be added up.
	Delta bool
	// Gone says that the series has ended (OTLP's "no recorded value"); Value is not read.
	Gone  bool
	Value Value
}

// Outcome is what became of a point.
type Outcome uint8

const (
	// Kept is a point that is in the table now, or a series that ended and left it.
	Kept Outcome = iota
	// OutOfOrder is a point older than what the table has, or a delta that was added before.
	OutOfOrder
	// SeriesLimit is a point of a new series, or with more buckets, when the table is full or the application has its share.
	SeriesLimit
	// ColumnLimit is a point of a new series that needs more label columns than allowed.
	ColumnLimit
	// LayoutChanged is a delta that can't be added to the total because its buckets or its type differ. The total
	// before it is gone; counting starts anew with this point.
	LayoutChanged
)

// String returns the outcome's value of the telemetry attribute "reason".
func (o Outcome) String() string {
	switch o {
	case Kept:
		return "kept"
	case OutOfOrder:
		return "out_of_order"
	case SeriesLimit:
		return "series_limit"
	case ColumnLimit:
		return "column_limit"
	case LayoutChanged:
		return "layout_changed"
	}
	return "unknown"
}

// Limits bounds a table.
type Limits struct {
	// Series is the most series held at a time, and Bytes is what they may take. Each application has a share.
	Series int
	Bytes  int64
	// Columns is the most label columns, over the life of the table.
	Columns int
}

// Table holds the latest value of each series and the label columns seen so far. Columns are never taken away, so that
// a file's header only grows.
type Table struct {
	layout Layout
	limits Limits

	series map[string]*series
	// order is series in the order of rows; nil when it has to be built.
	order []*series
	// columns are the label keys seen so far, sorted by their column's name; position is their index.
	columns  []string
	position map[string]int

	// room is what the series share, and held what each application has of it.
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

// state is the part of a series that a point changes.
type state struct {
	kind    Kind
	value   Value
	at      int64     // as in Point
	ahead   int64     // by how much the clock was set back since then
	bytes   int64     // what the series takes of the room
	updated time.Time // when the last point came
	fresh   bool      // a point came since Settle
}

// change is what undoes one Observe.
type change struct {
	series *series
	before state
	// existed is false if the point made the series.
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

// heldBy returns what the application of an owner has of the room.
func (t *Table) heldBy(owner *Owner) *shares.Size {
	held, known := t.held[owner.application]
	if !known {
		held = &shares.Size{}
		t.held[owner.application] = held
	}
	return held
}

// SetBack says that the clock was set back, so that points which are older than those before may be newer.
func (t *Table) SetBack(by time.Duration) {
	for _, s := range t.series {
		s.ahead += by.Nanoseconds()
	}
}

// Series returns the number of series held.
func (t *Table) Series() int { return len(t.series) }

// Columns returns the number of label columns.
func (t *Table) Columns() int { return len(t.columns) }

// Begin starts a change that Undo can take back: everything observed from now on.
func (t *Table) Begin() {
	clear(t.journal)
	t.journal = t.journal[:0]
}

// Undo takes back everything since Begin, except new columns: they do no harm and come back with a retry.
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

// Settle ends the change that Begin started: what WriteRows wrote as fresh is so no more.
func (t *Table) Settle() {
	t.Begin()
	for _, s := range t.series {
		s.fresh = false
	}
}

// Header returns the header row.
func (t *Table) Header() []string { return t.layout.header(t.columns) }

// Adopt takes over the label columns of a file that was written before, so that a header only grows also over restarts.
// It returns false, and changes nothing, if the file's other columns are not those of the layout.
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

// chosen returns where the layout's columns are in a record of all columns; nil for all as they are.
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

// Observe takes a point into the table.
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

// addColumns makes sure that each label has a column; it changes nothing and returns false if the limit forbids it.
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

// forget drops the share of an application that has no series.
func (t *Table) forget(owner *Owner) {
	if held := t.held[owner.application]; held != nil && held.Items == 0 {
		delete(t.held, owner.application)
	}
}

const (
	// seriesBytes is what a series takes besides its texts and numbers.
	seriesBytes = 400
	// textCopies is how often the texts of a series are held: in its key, in its labels, and once more while it is written.
	textCopies = 3
	// numberBytes is the size of a number.
	numberBytes = 8
)

// size returns what the series takes with a value.
func (s *series) size(value Value) int64 {
	return int64(seriesBytes + textCopies*len(s.key) + numberBytes*value.numbers())
}

// Expire removes the series that got no point for longer than age and returns how many. It ends the change that Begin
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

// rows returns the series in the order of the file: by name, resource and labels.
func (t *Table) rows() []*series {
	if t.order != nil || len(t.series) == 0 {
		return t.order
	}
	t.order = make([]*series, 0, len(t.series))
	for _, s := range t.series {
		t.order = append(t.order, s)
	}
	slices.SortFunc(t.order, func(a, b *series) int {
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

// appendPart appends text after its length, so that no two lists of parts give the same key.
func appendPart(key []byte, text string) []byte {
	key = binary.AppendUvarint(key, uint64(len(text)))
	return append(key, text...)
}
