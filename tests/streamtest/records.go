// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Record is a log record.
type Record struct {
	TraceID    [16]byte
	SpanID     [8]byte
	Event      string
	At         int64 // Unix nanoseconds
	Severity   string
	Body       string
	Service    string
	Attributes map[string]any
}

// UID returns the log.record.uid, which only repetitions of a record share.
func (r *Record) UID() string {
	uid, _ := r.Attributes["log.record.uid"].(string)
	return uid
}

// FromLogs copies all records.
func FromLogs(logs plog.Logs) []Record {
	records := make([]Record, 0, logs.LogRecordCount())
	for _, rl := range logs.ResourceLogs().All() {
		service, _ := rl.Resource().Attributes().Get("service.name")
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				records = append(records, Record{
					TraceID: r.TraceID(), SpanID: r.SpanID(), Event: r.EventName(), At: int64(r.Timestamp()), Severity: r.SeverityText(),
					Body: r.Body().AsString(), Service: service.Str(), Attributes: r.Attributes().AsRaw(),
				})
			}
		}
	}
	return records
}

// CompareRecords returns how the records of facts differ from the exact truth: one record per task start and per outcome of
// attempts and tasks, with the IDs of their span, and nothing else. facts are the recorded facts; all if empty. The caller
// must remove records of other events. An empty result means that they are equal.
func CompareRecords(truth []Task, records []Record, facts ...string) []string {
	c := newRecordComparison(records, facts)
	for i := range truth {
		task := &truth[i]
		trace := traceID(task.Service, task.TaskID)
		of := fmt.Sprintf("task %s/%d", task.Service, task.TaskID)
		c.started(of, trace, Interval{Start: task.Start, End: task.Orchestrations[len(task.Orchestrations)-1].Start})
		c.outcome(of, trace, task.Status, task.Interval)
		for _, a := range task.Attempts() {
			c.attempt(of, trace, a)
		}
	}
	return c.rest()
}

// CompareRealRecords returns how the records of facts differ from measurements around the real engine's calls: numbers,
// outcomes and error classes must be equal.
func CompareRealRecords(truth []RealTask, records []Record, facts ...string) []string {
	c := newRecordComparison(records, facts)
	for i := range truth {
		task := &truth[i]
		trace := traceID(task.Service, task.TaskID)
		of := fmt.Sprintf("task %s/%d", task.Service, task.TaskID)
		c.started(of, trace, Interval{Start: 0, End: math.MaxInt64})
		if task.Status != "" {
			c.take(of, factOf("task", task.Status), trace, func(*Record) bool { return true })
		}
		for _, a := range task.Attempts {
			r := c.take(fmt.Sprintf("%s, step %d, attempt %d", of, a.StepID, a.Attempt), factOf("step", a.Status), trace, ofAttempt(a.StepID, a.Attempt))
			c.class(r, a.Error)
		}
	}
	return c.rest()
}

// recordComparison holds the records that are not compared yet.
type recordComparison struct {
	findings
	facts   []string
	byTrace map[[16]byte][]*Record
}

func newRecordComparison(records []Record, facts []string) *recordComparison {
	c := &recordComparison{facts: facts, byTrace: map[[16]byte][]*Record{}}
	uids := map[string]*Record{}
	for i := range records {
		r := &records[i]
		if other, again := uids[r.UID()]; again || r.UID() == "" {
			c.add("%s has the uid %q; so has %s", describeRecord(r), r.UID(), describeRecord(other))
		}
		uids[r.UID()] = r
		c.byTrace[r.TraceID] = append(c.byTrace[r.TraceID], r)
	}
	return c
}

// take removes the only record of a fact in a trace. It reports a finding and returns nil if there is none.
func (c *recordComparison) take(of, fact string, trace [16]byte, is func(*Record) bool) *Record {
	for i, r := range c.byTrace[trace] {
		if r != nil && r.Event == fact && is(r) {
			c.byTrace[trace][i] = nil
			return r
		}
	}
	if len(c.facts) == 0 || slices.Contains(c.facts, fact) {
		c.add("%s: no %s", of, fact)
	}
	return nil
}

func (c *recordComparison) started(of string, trace [16]byte, within Interval) {
	r := c.take(of, lifecycle.TaskStarted, trace, func(*Record) bool { return true })
	if r == nil {
		return
	}
	c.span(r, lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0))
	if r.At < within.Start || r.At > within.End {
		c.add("%s is not between the creation and the last pass", describeRecord(r))
	}
}

func (c *recordComparison) outcome(of string, trace [16]byte, status string, interval Interval) {
	r := c.take(of, factOf("task", status), trace, func(*Record) bool { return true })
	if r == nil {
		return
	}
	c.span(r, lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0))
	c.times(r, interval)
}

func (c *recordComparison) attempt(of string, trace [16]byte, a Attempt) {
	of = fmt.Sprintf("%s, step %d (%s), attempt %d", of, a.StepID, a.StepName, a.Attempt)
	r := c.take(of, factOf("step", a.Status), trace, ofAttempt(a.StepID, a.Attempt))
	if r == nil {
		return
	}
	c.span(r, lifecycle.SpanID(trace, lifecycle.SpanStep, strconv.FormatInt(a.StepID, 10), a.Start))
	c.times(r, a.Interval)
	c.class(r, a.Error)
}

func ofAttempt(step int64, number int) func(*Record) bool {
	return func(r *Record) bool {
		return r.Attributes[lifecycle.AttrStepID] == step && r.Attributes[lifecycle.AttrAttemptNumber] == int64(number)
	}
}

func (c *recordComparison) span(r *Record, want pcommon.SpanID) {
	if pcommon.SpanID(r.SpanID) != want {
		c.add("%s is of span %x, want %s", describeRecord(r), r.SpanID, want)
	}
}

func (c *recordComparison) times(r *Record, want Interval) {
	if r.At != want.End {
		c.add("%s is %v off", describeRecord(r), time.Duration(r.At-want.End))
	}
	took := math.Round(float64(want.End-want.Start)/1e4) / 100
	if got := r.Attributes[lifecycle.AttrDurationMS]; got != took {
		c.add("%s took %v ms, want %v", describeRecord(r), got, took)
	}
}

func (c *recordComparison) class(r *Record, want string) {
	if r == nil {
		return
	}
	got, _ := r.Attributes[lifecycle.AttrErrorType].(string)
	exception, _ := r.Attributes[lifecycle.AttrExceptionClass].(string)
	if got != want || exception != want {
		c.add("%s has the error class %q and %q, want %q", describeRecord(r), got, exception, want)
	}
}

// rest reports records that are not in the truth.
func (c *recordComparison) rest() []string {
	for _, left := range c.byTrace {
		for _, r := range left {
			if r != nil {
				c.add("%s is of nothing that happened", describeRecord(r))
			}
		}
	}
	return c.list()
}

// factOf returns the fact for the outcome of a task or an attempt.
func factOf(what, status string) string {
	if status == OutcomeError {
		return what + ".failed"
	}
	return what + ".completed"
}

func describeRecord(r *Record) string {
	if r == nil {
		return "another record"
	}
	return fmt.Sprintf("%s at %s (%s)", r.Event, clock(r.At), r.Body)
}
