// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// callers remembers which tasks were called from a trace of their application's: span_hierarchy puts such a task into that
// trace, that of the earliest event which carries one, and so must its records be. Mostly it is the task's creation that
// carries it, and not the events of its passes. Tasks without a caller take no room.
type callers struct {
	mu    sync.Mutex
	tasks *generations.Map[caller]
}

// caller is where a task was called from, as an event said that happened at a time.
type caller struct {
	at    pcommon.Timestamp
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func newCallers(limit int) *callers {
	return &callers{tasks: generations.New[caller](limit)}
}

// keyOf is the key of a task: its own trace id is a hash.
func keyOf(task pcommon.TraceID) uint64 { return binary.BigEndian.Uint64(task[:8]) }

// note takes what an event says of its task's caller, and appends it to data if it is to be kept.
func (c *callers) note(data []byte, task pcommon.TraceID, at pcommon.Timestamp, traceparent string) []byte {
	trace, span, ok := lifecycle.ParseTraceparent(traceparent)
	if !ok {
		return data
	}
	told := caller{at, trace, span}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.put(keyOf(task), told) {
		return data
	}
	data = binary.LittleEndian.AppendUint64(data, keyOf(task))
	data = binary.LittleEndian.AppendUint64(data, uint64(at))
	return append(append(data, trace[:]...), span[:]...)
}

// put is false if what is known is as early. The lock is held.
func (c *callers) put(key uint64, told caller) bool {
	if known, found := c.tasks.Get(key); found {
		if !told.before(known) {
			return false
		}
		c.tasks.Delete(key)
	}
	c.tasks.Add(key, told)
	return true
}

// before orders callers as span_hierarchy does: by time, then by their text.
func (c caller) before(other caller) bool {
	if c.at != other.at {
		return c.at < other.at
	}
	if order := bytes.Compare(c.trace[:], other.trace[:]); order != 0 {
		return order < 0
	}
	return bytes.Compare(c.span[:], other.span[:]) < 0
}

// traceOf is the trace that a task's spans are in: its caller's, or its own.
func (c *callers) traceOf(task pcommon.TraceID) pcommon.TraceID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if called, found := c.tasks.Get(keyOf(task)); found {
		return called.trace
	}
	return task
}

// callerBytes is the size of one entry of what note appends.
const callerBytes = 8 + 8 + 16 + 8

// restore takes up what an earlier process noted.
func (c *callers) restore(data []byte) error {
	if len(data)%callerBytes != 0 {
		return fmt.Errorf("the entry's %d bytes of callers are cut", len(data))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; len(data) > 0; data = data[callerBytes:] {
		told := caller{at: pcommon.Timestamp(binary.LittleEndian.Uint64(data[8:])), trace: pcommon.TraceID(data[16:32]), span: pcommon.SpanID(data[32:40])}
		c.put(binary.LittleEndian.Uint64(data), told)
	}
	return nil
}
