// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// Sections of expectations.
const (
	sectionSpans   = "spans"
	sectionRecords = "records"
	sectionMetrics = "metrics"
	sectionLosses  = "losses"
)

// Expectations are the results that an operator expects, read from a file by ReadExpectations. They serve one Run.
type Expectations struct {
	Events struct {
		Accepted *Bound `yaml:"accepted"`
		Refused  *Bound `yaml:"refused"`
	} `yaml:"events"`
	Spans   []*Expectation `yaml:"spans"`
	Records []*Expectation `yaml:"records"`
	Metrics []*Expectation `yaml:"metrics"`
	Losses  []*Expectation `yaml:"losses"`
	// NothingElse names sections in which every row must match an entry.
	NothingElse []string `yaml:"nothing_else"`

	// By section: the columns of its rows, and the rows that no entry matches.
	columns    map[string]map[string]struct{}
	unexpected map[string]*unexpected
}

// Expectation is the expected number of matching rows of a table, or the sum of their values.
type Expectation struct {
	// Where has texts or globs by column; a row matches if all of them match. A missing cell is empty.
	Where map[string]string `yaml:"where"`
	Count *Bound            `yaml:"count"`
	// Value is the sum of the column "value", which only the tables of metrics and losses have.
	Value *Bound `yaml:"value"`

	rows int
	sum  float64
}

// Bound is a number, or {min: N, max: N} with one or both of them.
type Bound struct {
	Min, Max float64
}

// Mismatch is an expectation that was not met.
type Mismatch struct {
	// Place is the position in the file, such as spans[2].
	Place string `json:"place"`
	// Where describes the rows.
	Where    string `json:"where,omitempty"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

type unexpected struct {
	rows  int
	first string
}

// rounding is the relative difference of numbers that are considered equal, because sums are rounded.
const rounding = 1e-9

// UnmarshalYAML implements yaml.Unmarshaler.
func (b *Bound) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		if err := node.Decode(&b.Min); err != nil {
			return fmt.Errorf("line %d: %q is not a number: write a number, or {min: N, max: N}", node.Line, node.Value)
		}
		b.Max = b.Min
		return nil
	}
	var bounds map[string]float64
	if err := node.Decode(&bounds); err != nil {
		return fmt.Errorf("line %d: write a number, or {min: N, max: N}", node.Line)
	}
	b.Min, b.Max = math.Inf(-1), math.Inf(1)
	for key, value := range bounds {
		switch key {
		case "min":
			b.Min = value
		case "max":
			b.Max = value
		default:
			return fmt.Errorf("line %d: %q is not a bound: write {min: N, max: N}", node.Line, key)
		}
	}
	if len(bounds) == 0 || b.Min > b.Max {
		return fmt.Errorf("line %d: these bounds include no number: write {min: N, max: N}", node.Line)
	}
	return nil
}

func (b *Bound) holds(value float64) bool {
	slack := rounding * max(math.Abs(value), 1)
	return value >= b.Min-slack && value <= b.Max+slack
}

func (b *Bound) String() string {
	switch {
	case b.Min == b.Max:
		return number(b.Min)
	case math.IsInf(b.Min, -1):
		return "at most " + number(b.Max)
	case math.IsInf(b.Max, 1):
		return "at least " + number(b.Min)
	}
	return number(b.Min) + " to " + number(b.Max)
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// ReadExpectations reads a file. The error joins all mistakes that can be found without events.
func ReadExpectations(path string) (*Expectations, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the expectations: %w", err)
	}
	expected := &Expectations{columns: map[string]map[string]struct{}{}, unexpected: map[string]*unexpected{}}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(expected); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := expected.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return expected, nil
}

func (e *Expectations) sections() map[string][]*Expectation {
	return map[string][]*Expectation{sectionSpans: e.Spans, sectionRecords: e.Records, sectionMetrics: e.Metrics, sectionLosses: e.Losses}
}

func (e *Expectations) validate() error {
	var errs []error
	all := e.sections()
	some := e.Events.Accepted != nil || e.Events.Refused != nil || len(e.NothingElse) > 0
	for _, section := range slices.Sorted(maps.Keys(all)) {
		for i, one := range all[section] {
			some = true
			place := configerr.Index(section, i)
			switch {
			case one == nil || one.Count == nil && one.Value == nil:
				errs = append(errs, configerr.New(place, nil, "expects nothing", "add count or value"))
				continue
			case one.Value != nil && (section == sectionSpans || section == sectionRecords):
				errs = append(errs, configerr.New(configerr.Path(place, "value"), nil, "is not possible, because only metrics and losses have values", "use count"))
			}
			for _, column := range slices.Sorted(maps.Keys(one.Where)) {
				errs = append(errs, glob.Check(configerr.Path(place, "where", column), one.Where[column]))
			}
		}
	}
	for i, section := range e.NothingElse {
		if _, found := all[section]; !found {
			errs = append(errs, configerr.New(configerr.Index("nothing_else", i), section, "is not a section", "use spans, records, metrics or losses"))
		}
	}
	if !some {
		errs = append(errs, errors.New("nothing is expected; add events, spans, records, metrics, losses or nothing_else"))
	}
	return errors.Join(errs...)
}

// check counts a row of a table for the entries that it matches. A nil e has none.
func (e *Expectations) check(section string, row map[string]string) {
	if e == nil {
		return
	}
	if e.columns[section] == nil {
		e.columns[section] = map[string]struct{}{}
	}
	for column := range row {
		e.columns[section][column] = struct{}{}
	}
	matched := false
	for _, one := range e.sections()[section] {
		if one.matches(row) {
			matched = true
			one.rows++
			if value, err := strconv.ParseFloat(row["value"], 64); err == nil {
				one.sum += value
			}
		}
	}
	if !matched {
		if e.unexpected[section] == nil {
			e.unexpected[section] = &unexpected{first: terminal.Labels(row)}
		}
		e.unexpected[section].rows++
	}
}

func (e *Expectation) matches(row map[string]string) bool {
	for column, pattern := range e.Where {
		if !glob.Match(pattern, row[column]) {
			return false
		}
	}
	return true
}

// mismatches returns the unmet expectations, in the order of the file's sections.
func (e *Expectations) mismatches(accepted, refused int) []Mismatch {
	if e == nil {
		return nil
	}
	found := []Mismatch{}
	compare := func(place, where string, want *Bound, got float64) {
		if want != nil && !want.holds(got) {
			found = append(found, Mismatch{Place: place, Where: where, Expected: want.String(), Found: number(got)})
		}
	}
	compare("events.accepted", "", e.Events.Accepted, float64(accepted))
	compare("events.refused", "", e.Events.Refused, float64(refused))
	for _, section := range []string{sectionSpans, sectionRecords, sectionMetrics, sectionLosses} {
		for i, one := range e.sections()[section] {
			place := configerr.Index(section, i)
			if column := e.unknownColumn(section, one); column != "" && !one.expectsNothing(section) {
				found = append(found, Mismatch{Place: place + ".where", Where: column, Expected: "a column of the table", Found: e.columnsOf(section, column)})
				continue
			}
			compare(place+".count", terminal.Labels(one.Where), one.Count, float64(one.rows))
			compare(place+".value", terminal.Labels(one.Where), one.Value, one.sum)
		}
		if more := e.unexpected[section]; more != nil && slices.Contains(e.NothingElse, section) {
			found = append(found, Mismatch{Place: "nothing_else", Where: section, Expected: "0", Found: fmt.Sprintf("%d, the first: %s", more.rows, more.first)})
		}
	}
	return found
}

// expectsNothing reports whether the expectation is met by no rows at all. Then a column may be missing: a label has one only if
// some metric has the label.
func (e *Expectation) expectsNothing(section string) bool {
	return (section == sectionMetrics || section == sectionLosses) &&
		(e.Count == nil || e.Count.holds(0)) && (e.Value == nil || e.Value.holds(0))
}

// unknownColumn returns a column of the expectation that no row has, although a text is expected in it; empty if there is none,
// or if the table has no rows.
func (e *Expectations) unknownColumn(section string, one *Expectation) string {
	if len(e.columns[section]) == 0 {
		return ""
	}
	for _, column := range slices.Sorted(maps.Keys(one.Where)) {
		if _, known := e.columns[section][column]; !known && one.Where[column] != "" {
			return column
		}
	}
	return ""
}

func (e *Expectations) columnsOf(section, instead string) string {
	columns := slices.Sorted(maps.Keys(e.columns[section]))
	if meant, distance := configerr.Nearest(instead, columns); distance <= configerr.MaxTypos {
		return "no such column, but " + meant
	}
	return "no such column, but " + strings.Join(columns, ", ")
}
