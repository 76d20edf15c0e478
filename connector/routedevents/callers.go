// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// callers remembers which tasks have a caller, a span of their application. span_hierarchy puts such a task into the trace of the
// earliest event with a traceparent, if that is not later than the beginning of the first pass, and the task's records must be in
// the same trace. Mostly the task's creation has it, and the events of its passes do not. Until an event has one, nothing is
// remembered.
type callers struct {
	mu    sync.Mutex
	tasks *generations.Map[beginnings]
	any   atomic.Bool // some event has had a caller
}

// beginnings are a task's caller, and when its first pass began.
type beginnings struct {
	caller caller            // the earliest; without a trace if no event had one
	began  pcommon.Timestamp // the earliest event of a pass; 0 before any
}

// caller is a task's caller, with the time of the event that has it.
type caller struct {
	at    pcommon.Timestamp
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func newCallers(limit int) *callers {
	return &callers{tasks: generations.New[beginnings](limit)}
}

// keyOf returns the key of a task: its own trace id is a hash.
func keyOf(task pcommon.TraceID) uint64 { return binary.BigEndian.Uint64(task[:8]) }

// note records an event's caller and the beginning of its task's first pass, and appends to data what is to be stored.
func (c *callers) note(data []byte, task pcommon.TraceID, at pcommon.Timestamp, event, traceparent string) []byte {
	trace, span, called := lifecycle.ParseTraceparent(traceparent)
	inPass := lifecycle.InsidePass(event)
	if !called && (!inPass || !c.any.Load()) {
		return data
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if called {
		c.any.Store(true)
	}
	key := keyOf(task)
	if called && c.put(key, caller{at, trace, span}) {
		data = appendCaller(data, key, caller{at, trace, span})
	}
	if inPass && c.begin(key, at) {
		data = appendCaller(data, key, caller{at: at})
	}
	return data
}

// put returns false if the known caller is as early. It requires the lock.
func (c *callers) put(key uint64, from caller) bool {
	known, found := c.tasks.Get(key)
	if !known.caller.trace.IsEmpty() && !from.before(known.caller) {
		return false
	}
	known.caller = from
	c.replace(key, known, found)
	return true
}

// begin returns false if the known beginning is as early. It requires the lock.
func (c *callers) begin(key uint64, at pcommon.Timestamp) bool {
	known, found := c.tasks.Get(key)
	if known.began != 0 && known.began <= at {
		return false
	}
	known.began = at
	c.replace(key, known, found)
	return true
}

func (c *callers) replace(key uint64, with beginnings, found bool) {
	if found {
		c.tasks.Delete(key)
	}
	c.tasks.Add(key, with)
}

// before orders callers as span_hierarchy does: by time, then by text.
func (c caller) before(other caller) bool {
	if c.at != other.at {
		return c.at < other.at
	}
	if order := bytes.Compare(c.trace[:], other.trace[:]); order != 0 {
		return order < 0
	}
	return bytes.Compare(c.span[:], other.span[:]) < 0
}

// traceOf returns the trace of a task's spans: its caller's, or its own.
func (c *callers) traceOf(task pcommon.TraceID) pcommon.TraceID {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, _ := c.tasks.Get(keyOf(task))
	if known.caller.trace.IsEmpty() || known.began != 0 && known.caller.at > known.began {
		return task
	}
	return known.caller.trace
}

// callerBytes is the size of one entry appended by note. An entry without a trace is the beginning of a task's first pass.
const callerBytes = 8 + 8 + 16 + 8

func appendCaller(data []byte, key uint64, from caller) []byte {
	data = binary.LittleEndian.AppendUint64(data, key)
	data = binary.LittleEndian.AppendUint64(data, uint64(from.at))
	return append(append(data, from.trace[:]...), from.span[:]...)
}

// restore restores the notes of an earlier process.
func (c *callers) restore(data []byte) error {
	if len(data)%callerBytes != 0 {
		return fmt.Errorf("the entry's %d bytes of callers are truncated", len(data))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; len(data) > 0; data = data[callerBytes:] {
		key := binary.LittleEndian.Uint64(data)
		from := caller{at: pcommon.Timestamp(binary.LittleEndian.Uint64(data[8:])), trace: pcommon.TraceID(data[16:32]), span: pcommon.SpanID(data[32:40])}
		if from.trace.IsEmpty() {
			c.begin(key, from.at)
		} else {
			c.any.Store(true)
			c.put(key, from)
		}
	}
	return nil
}
