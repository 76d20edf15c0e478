// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxDifferences is the maximum number of differences that a comparison returns.
const maxDifferences = 40

// findings collects differences.
type findings struct {
	texts []string
	more  int
}

func (f *findings) add(format string, args ...any) {
	if len(f.texts) == maxDifferences {
		f.more++
		return
	}
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func (f *findings) list() []string {
	if f.more > 0 {
		return append(f.texts, fmt.Sprintf("… and %d more", f.more))
	}
	return f.texts
}

// byTrace groups the spans, preserving their order.
func byTrace(spans []Span) map[[16]byte][]*Span {
	traces := map[[16]byte][]*Span{}
	for i := range spans {
		traces[spans[i].TraceID] = append(traces[spans[i].TraceID], &spans[i])
	}
	return traces
}

// traceID returns the trace ID of a task. Streams have no service.namespace.
func traceID(service string, taskID int64) [16]byte {
	return lifecycle.TraceID("", service, strconv.FormatInt(taskID, 10))
}

// tree holds the spans of a trace during a comparison.
type tree struct {
	*findings
	label   string
	spans   []*Span
	byID    map[[8]byte]*Span
	byName  map[string][]*Span
	claimed map[*Span]bool
}

func newTree(f *findings, label string, spans []*Span) *tree {
	t := &tree{findings: f, label: label, spans: spans, byID: map[[8]byte]*Span{}, byName: map[string][]*Span{}, claimed: map[*Span]bool{}}
	for _, s := range spans {
		if s.SpanID == [8]byte{} {
			t.report("%s has no span id", s.Name)
		}
		if twin := t.byID[s.SpanID]; twin != nil {
			t.report("span id %s is twice: %s and %s", s.SpanText(), describe(twin), describe(s))
		}
		t.byID[s.SpanID] = s
		t.byName[s.Name] = append(t.byName[s.Name], s)
	}
	return t
}

func (t *tree) report(format string, args ...any) {
	t.add(t.label+": "+format, args...)
}

// wellFormed checks that every span except the task's has a parent in the trace that contains its interval.
func (t *tree) wellFormed(service string) {
	for _, s := range t.spans {
		if s.Scope != lifecycle.ScopeSpans {
			t.report("%s has scope %q, want %q", describe(s), s.Scope, lifecycle.ScopeSpans)
		}
		if s.Service != service {
			t.report("%s is of service %q, want %q", describe(s), s.Service, service)
		}
		if s.End < s.Start {
			t.report("%s ends before it starts", describe(s))
		}
		if s.ParentID == [8]byte{} {
			if s.Name != lifecycle.SpanTask {
				t.report("%s has no parent", describe(s))
			}
			continue
		}
		parent := t.byID[s.ParentID]
		if parent == nil {
			t.report("%s: its parent %x is not in the trace", describe(s), s.ParentID)
		} else if s.Start < parent.Start || s.End > parent.End {
			t.report("%s is not inside its parent %s", describe(s), describe(parent))
		}
	}
}

// claim finds the span for an item of the truth, which cannot be claimed again. match may be nil. If it is missing, the
// closest unclaimed spans of that name are reported.
func (t *tree) claim(what, name string, want Interval, match func(*Span) bool) *Span {
	var nearest *Span
	for _, s := range t.byName[name] {
		if t.claimed[s] || match != nil && !match(s) {
			continue
		}
		if s.Start == want.Start && s.End == want.End {
			t.claimed[s] = true
			return s
		}
		if nearest == nil || distance(s, want) < distance(nearest, want) {
			nearest = s
		}
	}
	if nearest == nil {
		t.report("no %s for %s at %s", name, what, clock(want.Start))
		return nil
	}
	t.claimed[nearest] = true
	t.report("%s: %s starts %v and ends %v off", what, describe(nearest),
		time.Duration(nearest.Start-want.Start), time.Duration(nearest.End-want.End))
	return nearest
}

// reportUnclaimed reports unclaimed spans.
func (t *tree) reportUnclaimed() {
	for _, s := range t.spans {
		if !t.claimed[s] {
			t.report("one too many: %s", describe(s))
		}
	}
}

func (t *tree) parent(s, want *Span) {
	if s == nil || want == nil || s.ParentID == want.SpanID {
		return
	}
	t.report("%s: its parent is %s, want %s", describe(s), describe(t.byID[s.ParentID]), describe(want))
}

func (t *tree) attribute(s *Span, key string, want any) {
	if s != nil && s.Attributes[key] != want {
		t.report("%s: %s is %v, want %v", describe(s), key, s.Attributes[key], want)
	}
}

// outcome checks status and attribute of a span whose truth is ok or error.
func (t *tree) outcome(s *Span, want string) {
	if s == nil {
		return
	}
	if s.Status != want {
		t.report("%s: status code is %s, want %s", describe(s), s.Status, want)
	}
	t.attribute(s, lifecycle.AttrStatus, statusText(want))
	if incomplete, is := s.Attributes[lifecycle.AttrIncomplete]; is {
		t.report("%s: %s is %v", describe(s), lifecycle.AttrIncomplete, incomplete)
	}
}

func statusText(outcome string) string {
	if outcome == OutcomeError {
		return string(lifecycle.StatusFailure)
	}
	return string(lifecycle.StatusSuccess)
}

func distance(s *Span, want Interval) int64 {
	return max(s.Start-want.Start, want.Start-s.Start) + max(s.End-want.End, want.End-s.End)
}

func describe(s *Span) string {
	if s == nil {
		return "nothing"
	}
	text := s.Name
	if step := s.text(lifecycle.AttrStepName); step != "" {
		text += fmt.Sprintf("(%s, attempt %v)", step, s.Attributes[lifecycle.AttrAttemptNumber])
	}
	return fmt.Sprintf("%s %s+%v", text, clock(s.Start), time.Duration(s.End-s.Start))
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("15:04:05.000000000") }

// WellFormed returns structural errors of finished spans: duplicate IDs, missing parents, children outside their parent,
// roots that are not tasks. Empty if there are none.
func WellFormed(spans []Span) []string {
	f := &findings{}
	for id, trace := range byTrace(spans) {
		newTree(f, fmt.Sprintf("trace %x", id), trace).wellFormed(trace[0].Service)
	}
	return f.list()
}
