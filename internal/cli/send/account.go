// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"fmt"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
)

// Refusal is an item that was permanently refused, or a batch that was not delivered.
type Refusal struct {
	// Where is file:line, or a range of lines.
	Where string
	// Field is the invalid field; empty if it is the item as a whole.
	Field  string
	Reason string
	Remedy string
}

func (r Refusal) String() string {
	text := r.Where + ": "
	if r.Field != "" {
		text += r.Field + ": "
	}
	text += r.Reason
	if r.Remedy != "" {
		text += " (" + r.Remedy + ")"
	}
	return text
}

// Progress counts items; Retries counts requests.
type Progress struct {
	Read, Accepted, Refused, Undelivered, Retries int
	// LastProblem is the reason for the last retry.
	LastProblem string
}

// Summary is the result of a Send. Read = Accepted + Refused + Undelivered + Unsent.
type Summary struct {
	Progress
	// Unsent items were read but not sent.
	Unsent int
	// Refusals are the first refused items, Lost the first undelivered batches.
	Refusals, Lost []Refusal
	Duration       time.Duration
	// ReadError is the error of the source, if any.
	ReadError error
	// GaveUp is why sending stopped before the end of the source, with a remedy; empty if it did not.
	GaveUp, Remedy string
	// Interrupted means that the context ended.
	Interrupted bool
}

// Complete reports whether every item of the source was accepted.
func (s *Summary) Complete() bool {
	return s.Read == s.Accepted && s.ReadError == nil && s.GaveUp == "" && !s.Interrupted
}

// Rate returns accepted events per second.
func (s *Summary) Rate() float64 {
	if s.Duration <= 0 {
		return 0
	}
	return float64(s.Accepted) / s.Duration.Seconds()
}

// account is the state of a Send, shared by its reader and workers. Once closed it does not change: a reader whose source
// blocks may outlive its Send.
type account struct {
	mu       sync.Mutex
	closed   bool
	counts   Progress
	shown    int
	refusals []Refusal
	lost     []Refusal
}

func (a *account) read() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.counts.Read++
	}
}

// readFaulty counts an item that was read but cannot be sent.
func (a *account) readFaulty(refusal Refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.counts.Read++
		a.refuse(1, refusal)
	}
}

// refuse must be called with the mutex held.
func (a *account) refuse(items int, listed ...Refusal) {
	a.counts.Refused += items
	room := max(0, a.shown-len(a.refusals))
	a.refusals = append(a.refusals, listed[:min(room, len(listed))]...)
}

// settle applies the receiver's response to a batch. Items that were not accepted are refused, listed or not.
func (a *account) settle(batch *eventfile.Batch, said answer) {
	accepted := max(0, min(*said.Accepted, batch.Len()))
	listed := make([]Refusal, 0, len(said.Refused))
	for _, r := range said.Refused {
		where := fmt.Sprintf("item %d of the batch of %s", r.Index, span(batch))
		if origin, ok := batch.Origin(r.Index); ok {
			where = origin.String()
		}
		listed = append(listed, Refusal{where, r.Field, r.Reason, r.Remedy})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Accepted += accepted
	if refused := batch.Len() - accepted; refused > 0 {
		a.refuse(refused, listed...)
	}
}

func (a *account) undelivered(batch *eventfile.Batch, problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Undelivered += batch.Len()
	if len(a.lost) < a.shown {
		a.lost = append(a.lost, Refusal{Where: span(batch), Reason: problem})
	}
}

func (a *account) retry(problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Retries++
	a.counts.LastProblem = problem
}

func (a *account) progress() Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts
}

func (a *account) close(took time.Duration, readErr error, gaveUp *stopError, interrupted bool) Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	c := a.counts
	s := Summary{
		Progress: c, Unsent: c.Read - c.Accepted - c.Refused - c.Undelivered, Refusals: a.refusals, Lost: a.lost,
		Duration: took, ReadError: readErr, Interrupted: interrupted,
	}
	if gaveUp != nil {
		s.GaveUp, s.Remedy = gaveUp.problem, gaveUp.remedy
	}
	return s
}

// span returns the location of a batch's items.
func span(batch *eventfile.Batch) string {
	first, last := batch.Origins[0], batch.Origins[batch.Len()-1]
	switch {
	case first == last:
		return first.String()
	case first.File == last.File:
		return fmt.Sprintf("%s:%d-%d", first.File, first.Line, last.Line)
	}
	return fmt.Sprintf("%s to %s", first, last)
}
