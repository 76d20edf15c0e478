package series

// Exemplar is one measured value and where it was measured. A span id of zeros means the trace as a whole.
type Exemplar struct {
	Value int64
	// At is when the value was measured, in Unix nanoseconds of the event's clock.
	At    int64
	Trace [16]byte
	Span  [8]byte
}

// keepSlowest keeps the limit largest values: when the room is used up, the smallest one gives way. The largest values are
// the ones that somebody looks for.
func keepSlowest(kept []Exemplar, limit int, candidate Exemplar) []Exemplar {
	if len(kept) < limit {
		return append(kept, candidate)
	}
	smallest := -1
	for i := range kept {
		if smallest < 0 || kept[i].Value < kept[smallest].Value {
			smallest = i
		}
	}
	if smallest >= 0 && kept[smallest].Value < candidate.Value {
		kept[smallest] = candidate
	}
	return kept
}
