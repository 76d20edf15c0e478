// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Label is one label of a series.
type Label = records.Label

// Labels collects the labels of a value about to be recorded. The zero Labels is ready; it is meant to be used again and
// again. All values of one metric must name their labels in one order.
type Labels struct {
	// pairs holds also the labels that the series lacks, with an empty value.
	pairs []Label
	key   []byte
}

// Reset empties the labels.
func (l *Labels) Reset() *Labels {
	l.pairs = l.pairs[:0]
	l.key = l.key[:0]
	return l
}

// Add appends a label. An empty value means that the series lacks the label, as it does for Prometheus.
func (l *Labels) Add(name, value string) *Labels {
	l.key = binary.AppendUvarint(l.key, uint64(len(value)))
	l.key = append(l.key, value...)
	l.pairs = append(l.pairs, Label{Name: name, Value: value})
	return l
}

// foreign begins the key of a series with labels that its metric no longer has. No value can be so long.
var foreign = string(binary.AppendUvarint(nil, math.MaxUint64))

// adopt gives a series with labels the key of the values that have these labels. names are those of its metric: if that has
// not all of the labels, no value ever has the key.
func (s *series) adopt(labels []Label, names []string) {
	var all Labels
	s.labels = make([]Label, 0, len(labels))
	for _, name := range names {
		value := ""
		if i := slices.IndexFunc(labels, func(label Label) bool { return label.Name == name }); i >= 0 {
			value = labels[i].Value
			s.labels = append(s.labels, labels[i])
		}
		all.Add(name, value)
	}
	if len(s.labels) == len(labels) {
		s.key = string(all.key)
		return
	}
	all.Reset()
	for _, label := range labels {
		all.Add("", label.Name).Add("", label.Value)
	}
	s.key, s.labels = foreign+string(all.key), labels
}

// storedKey returns a key as it is written down: the labels' values, and an empty one for each that the series lacks, or not.
func (s *series) storedKey() string {
	if !strings.HasPrefix(s.key, foreign) {
		return s.key
	}
	var all Labels
	for _, label := range s.labels {
		all.Add(label.Name, label.Value)
	}
	return string(all.key)
}

// forget drops the strings, which belong to the caller's data.
func (l *Labels) forget() {
	clear(l.pairs[:cap(l.pairs)])
	l.Reset()
}

// kept clones the labels for a series.
func (l *Labels) kept() []Label {
	pairs := make([]Label, 0, len(l.pairs))
	for _, pair := range l.pairs {
		if pair.Value != "" {
			pairs = append(pairs, Label{Name: strings.Clone(pair.Name), Value: strings.Clone(pair.Value)})
		}
	}
	return pairs
}
