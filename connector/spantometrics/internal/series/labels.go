package series

import (
	"encoding/binary"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/oplog"
)

// Label is one label of a series.
type Label = oplog.Label

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
