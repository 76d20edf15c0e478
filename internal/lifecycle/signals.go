// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import "strings"

// Signals is the set of signals that an event becomes.
type Signals uint8

// The signals.
const (
	SignalTraces Signals = 1 << iota
	SignalMetrics
	SignalLogs

	SignalsNone Signals = 0
	SignalsAll          = SignalTraces | SignalMetrics | SignalLogs
)

// signalTexts holds the text form of every set, so that String does not allocate.
var signalTexts = [...]string{
	"none", "traces", "metrics", "traces,metrics", "logs", "traces,logs", "metrics,logs", "traces,metrics,logs",
}

// String returns the text form used in [AttrSignals]: names joined by commas, or "none".
func (s Signals) String() string { return signalTexts[s&SignalsAll] }

// Has reports whether all of want is in s.
func (s Signals) Has(want Signals) bool { return s&want == want }

// ParseSignals parses the text form. It ignores unknown names, which a newer router may write.
func ParseSignals(text string) Signals {
	for set, known := range signalTexts {
		if text == known {
			return Signals(set)
		}
	}
	var s Signals
	for word := range strings.SplitSeq(text, ",") {
		signal, _ := ParseSignal(strings.TrimSpace(word))
		s |= signal
	}
	return s
}

// ParseSignal parses the name of one signal: traces, metrics or logs.
func ParseSignal(word string) (Signals, bool) {
	switch word {
	case "traces":
		return SignalTraces, true
	case "metrics":
		return SignalMetrics, true
	case "logs":
		return SignalLogs, true
	}
	return SignalsNone, false
}
