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

// Label is a label of a series.
type Label = records.Label

// Labels collects the labels of a value to be recorded. The zero value is ready for use; it is meant to be reused. All
// values of a metric must add their labels in the same order.
type Labels struct {
	// pairs includes absent labels, with an empty value.
	pairs []Label
	key   []byte
}

// Reset removes all labels.
func (l *Labels) Reset() *Labels {
	l.pairs = l.pairs[:0]
	l.key = l.key[:0]
	return l
}

// Add appends a label. An empty value means that the label is absent, as in Prometheus.
func (l *Labels) Add(name, value string) *Labels {
	l.key = binary.AppendUvarint(l.key, uint64(len(value)))
	l.key = append(l.key, value...)
	l.pairs = append(l.pairs, Label{Name: name, Value: value})
	return l
}

// foreign begins the keys of series with labels that their metric no longer has. No value has this length.
var foreign = string(binary.AppendUvarint(nil, math.MaxUint64))

// adopt sets the key of a series to that of values with the same labels. names are the metric's labels: if it lacks one of
// the series' labels, the key never matches a value.
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

// storedKey returns the stored form of a key: the values of the labels, empty for absent ones.
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

// forget drops references to the caller's strings.
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
