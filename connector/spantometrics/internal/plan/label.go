// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// label is a label of a metric and its source.
type label struct {
	name  string
	field int
	// otherwise is the value if the attribute is absent.
	otherwise string
	hasOther  bool
	// unbounded accepts values that are IDs; folded removes the number of a batch worker.
	unbounded, folded bool
}

// newLabels compiles dimensions and adds their attributes to fields.
func newLabels(cfg *declaration.Config, dimensions []declaration.Dimension, fields *fieldSet) []label {
	labels := make([]label, len(dimensions))
	for i := range dimensions {
		d := &dimensions[i]
		f := newField(d.Keys())
		l := label{
			name: d.Name, field: fields.add(f), hasOther: d.Default != nil,
			unbounded: slices.ContainsFunc(append(d.Keys(), d.Name), func(key string) bool { return slices.Contains(cfg.AllowUnbounded, key) }),
			folded:    cfg.FoldNumberedSteps && namesSteps(f.keys),
		}
		if d.Default != nil {
			l.otherwise = *d.Default
		}
		labels[i] = l
	}
	return labels
}

// namesSteps reports whether one of the keys may hold the name of a step, as a slow operation's name often is.
func namesSteps(keys []string) bool {
	return slices.Contains(keys, lifecycle.AttrStepName) || slices.Contains(keys, lifecycle.AttrOperation)
}

// label collects the labels of the following values. It returns false if one without a default is missing.
func (out *Output) label(labels []label, item *Item) (complete bool) {
	collected := out.Writer.Labels()
	complete = true
	for i := range labels {
		l := &labels[i]
		text := out.labelText(l, item)
		complete = complete && (text != "" || l.hasOther)
		collected.Add(l.name, text)
	}
	return complete
}

func (out *Output) labelText(l *label, item *Item) string {
	value := item.value(l.field)
	if !value.found() {
		return l.otherwise
	}
	text := value.String()
	if l.folded {
		text = lifecycle.StepTemplate(text)
	}
	switch {
	case text == "":
		return l.otherwise // receivers treat an empty label as absent
	case !l.unbounded && looksLikeID(text):
		out.Tally.Replaced[tally.ID]++
		return replacedID
	}
	return out.Legible(text)
}

// maxLabelBytes is the length at which a label's value is cut: a series keeps its labels for a day and longer.
const maxLabelBytes = 1024

// Legible returns text as valid, bounded UTF-8. Receivers reject other labels, and some of them the whole request.
func (out *Output) Legible(text string) string {
	if len(text) <= maxLabelBytes && utf8.ValidString(text) {
		return text
	}
	const ellipsis = "…"
	if len(text) > maxLabelBytes {
		out.Tally.Replaced[tally.TooLong]++
		text = printable.Cut(text, maxLabelBytes-len(ellipsis)) + ellipsis
	}
	if !utf8.ValidString(text) {
		out.Tally.Replaced[tally.NotUTF8]++
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	return text
}

// replacedID replaces label values that are IDs, which would be different for every execution.
const replacedID = "_id"

// looksLikeID reports whether value is a UUID, with or without hyphens, or a correlation ID of Tasker.
func looksLikeID(value string) bool {
	const correlation = "tsk_"
	if len(value) != 36 && len(value) != 32 {
		return len(value) >= 19 && len(value) <= 21 && value[:len(correlation)] == correlation && value[len(value)-7] == '_'
	}
	for i := range len(value) {
		if isHyphen := len(value) == 36 && (i == 8 || i == 13 || i == 18 || i == 23); isHyphen && value[i] != '-' || !isHyphen && !isHex(value[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
