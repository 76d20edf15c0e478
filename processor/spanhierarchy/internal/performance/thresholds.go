// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package performance

import (
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// Thresholds above which something gets a performance event; 0 disables one.
type Thresholds struct {
	SlowTask      time.Duration
	SlowStep      time.Duration
	SlowQuery     time.Duration
	MemorySpikeMB float64
}

// DefaultThresholds returns Tasker's documented thresholds for operations, queries and memory. There is none for tasks, which wait
// in queues and back off.
func DefaultThresholds() Thresholds {
	return Thresholds{SlowTask: 30 * time.Second, SlowStep: time.Second, SlowQuery: time.Second, MemorySpikeMB: 100}
}

// Override replaces thresholds for what it names. Names may be patterns of package glob. Each list that is not empty must
// match.
type Override struct {
	Tasks      []string
	Steps      []string
	Operations []string

	// Nil fields are not replaced.
	SlowTask      *time.Duration
	SlowStep      *time.Duration
	SlowQuery     *time.Duration
	MemorySpikeMB *float64
}

// measurement is what a threshold is looked up for.
type measurement struct {
	task, step string
	// operations are its names, from the most general to the reported one.
	operations []string
}

func (o *Override) matches(s *measurement) bool {
	return (len(o.Tasks) == 0 || AnyMatch(o.Tasks, s.task)) && (len(o.Steps) == 0 || AnyMatch(o.Steps, s.step)) &&
		(len(o.Operations) == 0 || slices.ContainsFunc(s.operations, func(name string) bool { return AnyMatch(o.Operations, name) }))
}

// AnyMatch reports whether one of the patterns matches the name.
func AnyMatch(patterns []string, name string) bool {
	return name != "" && glob.MatchAny(patterns, name)
}

// threshold returns the value of the first override that matches and has one.
func threshold[T any](m *Monitor, s *measurement, usual T, of func(*Override) *T) T {
	for i := range m.overrides {
		if o := &m.overrides[i]; of(o) != nil && o.matches(s) {
			return *of(o)
		}
	}
	return usual
}
