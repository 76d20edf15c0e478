package series

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/oplog"

// Exemplar is one measured value and where it was measured. A span id of zeros means the trace as a whole.
type Exemplar = oplog.Exemplar

// keepSlowest keeps the limit largest values: when the room is used up, the smallest one gives way. The largest values are
// the ones that somebody looks for. It tells whether it kept the candidate.
func keepSlowest(kept []Exemplar, limit int, candidate Exemplar) ([]Exemplar, bool) {
	if len(kept) < limit {
		return append(kept, candidate), true
	}
	smallest := -1
	for i := range kept {
		if smallest < 0 || kept[i].Value < kept[smallest].Value {
			smallest = i
		}
	}
	if smallest >= 0 && kept[smallest].Value < candidate.Value {
		kept[smallest] = candidate
		return kept, true
	}
	return kept, false
}
