// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package recent

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// Bounds of the statistics. What exceeds them is counted as left out.
const (
	maxWorkflows = 200
	maxSteps     = 200 // per workflow
	maxFailures  = 500
	maxDurations = 512 // per workflow, and per step
)

// statistics count emitted spans by minute.
type statistics struct {
	workflows map[string]*workflow
	failures  map[failureKey]*failure
	left      int
	folded    map[string]string // names of steps without numbers
}

func newStatistics() statistics {
	return statistics{workflows: map[string]*workflow{}, failures: map[failureKey]*failure{}, folded: map[string]string{}}
}

// counter counts by minute; the current minute replaces the one an hour ago.
type counter struct {
	by   [livedata.Minutes]int64
	last int64 // the minute counted last
}

func minuteOf(now time.Time) int64 { return now.Unix() / 60 }

func (c *counter) forward(minute int64) {
	if c.last == 0 {
		c.last = minute
	}
	for range min(max(0, minute-c.last), livedata.Minutes) {
		c.last++
		c.by[c.last%livedata.Minutes] = 0
	}
	c.last = max(c.last, minute)
}

func (c *counter) add(minute int64) {
	c.forward(minute)
	c.by[minute%livedata.Minutes]++
}

func (c *counter) series(minute int64) (s livedata.Series) {
	c.forward(minute)
	for i := range int64(livedata.Minutes) {
		s[livedata.Minutes-1-i] = c.by[(minute-i+livedata.Minutes)%livedata.Minutes]
	}
	return s
}

// durations are the latest durations.
type durations struct {
	all  []time.Duration
	next int
}

func (d *durations) add(nanos int64) {
	if len(d.all) < maxDurations {
		d.all = append(d.all, time.Duration(nanos))
		return
	}
	d.all[d.next] = time.Duration(nanos)
	d.next = (d.next + 1) % len(d.all)
}

type workflow struct {
	finished, failed, failedAttempts counter
	took                             durations
	steps                            map[string]*step
	order                            []string
	total, queue, backoff, orchestra time.Duration
	latest                           event.TraceID
}

type step struct {
	executions, failures counter
	took                 durations
	dependencies         []string
	critical             time.Duration
}

type failureKey struct{ workflow, step, class string }

type failure struct {
	attempts    counter
	message     string
	first, last time.Time
	task        event.TraceID
}

// add counts a tree or a part of one.
func (s *statistics) add(tree *tree.Tree, now time.Time) {
	name := value(tree.Spans[0].Attributes, lifecycle.AttrTaskName).Text
	w := s.workflow(name)
	if w == nil {
		return
	}
	w.latest = tree.Key
	for i := range tree.Spans {
		switch span := &tree.Spans[i]; span.Name {
		case lifecycle.SpanTask:
			w.addRun(span, now)
		case lifecycle.SpanStep:
			s.addAttempt(name, w, tree, span, now)
		}
	}
	if tree.Part && len(w.took.all) > 0 {
		return // the graph is that of ended runs
	}
	tree.Steps(func(name string, dependencies []string) {
		if st := w.steps[s.fold(name)]; st != nil {
			for _, d := range dependencies {
				if d = s.fold(d); !slices.Contains(st.dependencies, d) && len(st.dependencies) < maxSteps {
					st.dependencies = append(st.dependencies, d)
				}
			}
		}
	})
}

// addCritical adds the attempts on the critical path of a run that has ended, all of whose spans are in the trees.
func (s *statistics) addCritical(trees []*tree.Tree, root *tree.Span) {
	w := s.workflows[value(root.Attributes, lifecycle.AttrTaskName).Text]
	path := map[event.SpanID]bool{}
	for _, text := range value(root.Attributes, lifecycle.AttrCriticalPathSpans).Strings {
		var id event.SpanID
		if n, err := hex.Decode(id[:], []byte(text)); err == nil && n == len(id) {
			path[id] = true
		}
	}
	if w == nil || len(path) == 0 || statusOf(root) == "" {
		return
	}
	for _, tree := range trees {
		for i := range tree.Spans {
			span := &tree.Spans[i]
			if span.Name != lifecycle.SpanStep || !path[span.ID] {
				continue
			}
			if st := w.steps[s.fold(value(span.Attributes, lifecycle.AttrStepName).Text)]; st != nil {
				st.critical += time.Duration(span.End - span.Start)
			}
		}
	}
}

func (s *statistics) workflow(name string) *workflow {
	w := s.workflows[name]
	if w == nil {
		if len(s.workflows) >= maxWorkflows {
			s.left++
			return nil
		}
		w = &workflow{steps: map[string]*step{}}
		s.workflows[name] = w
	}
	return w
}

func (w *workflow) addRun(span *tree.Span, now time.Time) {
	status := statusOf(span)
	if status == "" {
		return
	}
	w.finished.add(minuteOf(now))
	if status == lifecycle.StatusFailure {
		w.failed.add(minuteOf(now))
	}
	w.took.add(span.End - span.Start)
	seconds := func(key string) time.Duration {
		return time.Duration(value(span.Attributes, key).Double * float64(time.Second))
	}
	w.total += time.Duration(span.End - span.Start)
	w.queue += seconds(lifecycle.AttrCriticalQueue)
	w.backoff += seconds(lifecycle.AttrCriticalBackoff)
	w.orchestra += seconds(lifecycle.AttrCriticalOrchestration)
}

func (s *statistics) addAttempt(workflow string, w *workflow, tree *tree.Tree, span *tree.Span, now time.Time) {
	status := statusOf(span)
	if status == "" {
		return
	}
	name := s.fold(value(span.Attributes, lifecycle.AttrStepName).Text)
	st := w.steps[name]
	if st == nil {
		if len(w.steps) >= maxSteps {
			s.left++
			return
		}
		st = &step{}
		w.steps[name] = st
		w.order = append(w.order, name)
	}
	st.executions.add(minuteOf(now))
	st.took.add(span.End - span.Start)
	if status != lifecycle.StatusFailure {
		return
	}
	st.failures.add(minuteOf(now))
	w.failedAttempts.add(minuteOf(now))
	s.addFailure(failureKey{workflow, name, value(span.Attributes, lifecycle.AttrErrorType).Text}, tree, span, now)
}

func (s *statistics) addFailure(key failureKey, tree *tree.Tree, span *tree.Span, now time.Time) {
	f := s.failures[key]
	if f == nil {
		if len(s.failures) >= maxFailures {
			s.dropOldestFailure()
		}
		f = &failure{first: now}
		s.failures[key] = f
	}
	f.attempts.add(minuteOf(now))
	f.message, f.last, f.task = span.Message, now, tree.Key
}

func (s *statistics) dropOldestFailure() {
	var oldest failureKey
	for key, f := range s.failures {
		if before := s.failures[oldest]; before == nil || f.last.Before(before.last) {
			oldest = key
		}
	}
	delete(s.failures, oldest)
	s.left++
}

// maxFolded bounds the names kept.
const maxFolded = 4096

func (s *statistics) fold(name string) string {
	if folded, known := s.folded[name]; known {
		return folded
	}
	if len(s.folded) >= maxFolded {
		clear(s.folded)
	}
	folded := lifecycle.StepTemplate(name)
	s.folded[name] = folded
	return folded
}

func (s *statistics) report(now time.Time) livedata.Statistics {
	minute := minuteOf(now)
	r := livedata.Statistics{Left: s.left}
	for name, w := range s.workflows {
		out := livedata.Workflow{
			Name: name, Finished: w.finished.series(minute), Failed: w.failed.series(minute), FailedAttempts: w.failedAttempts.series(minute),
			Durations: slices.Clone(w.took.all), Total: w.total, Queue: w.queue, Backoff: w.backoff, Orchestration: w.orchestra, Latest: w.latest,
		}
		for _, name := range w.order {
			st := w.steps[name]
			out.Steps = append(out.Steps, livedata.Step{
				Name: name, Dependencies: slices.Clone(st.dependencies), Executions: st.executions.series(minute),
				Failures: st.failures.series(minute), Durations: slices.Clone(st.took.all), Critical: st.critical,
			})
		}
		r.Workflows = append(r.Workflows, out)
	}
	for key, f := range s.failures {
		attempts := f.attempts.series(minute)
		if attempts.Last(livedata.Minutes) == 0 {
			delete(s.failures, key)
			continue
		}
		r.Failures = append(r.Failures, livedata.Failure{
			Workflow: key.workflow, Step: key.step, ErrorType: key.class, Message: f.message, Attempts: attempts,
			First: f.first, Last: f.last, Task: f.task,
		})
	}
	slices.SortFunc(r.Workflows, func(a, b livedata.Workflow) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Failures, func(a, b livedata.Failure) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Step, b.Step), cmp.Compare(a.ErrorType, b.ErrorType))
	})
	return r
}
