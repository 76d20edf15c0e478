// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// Reader reads events out of pdata and out of batches. Its memory is reused for the next event, so it serves one goroutine.
type Reader struct {
	event     event.Event
	batch     *eventbatch.Reader[*shape]
	used      []*shape // since Open
	resources map[string]*event.Resource
	key       []byte
	items     []string // the elements of the current value, if it is a list
	decimals  decimals
}

// NewReader makes a reader.
func NewReader() *Reader {
	return &Reader{batch: eventbatch.NewReader(newShape), resources: map[string]*event.Resource{}}
}

// knownResources bounds how many resources are shared; more are copied each time.
const knownResources = 4096

// Resource copies the attributes of a resource. Equal resources give the same copy.
func (r *Reader) Resource(attrs pcommon.Map) *event.Resource {
	r.key = r.key[:0]
	for k, v := range attrs.All() {
		r.key = append(r.key, k...)
		r.key = append(r.key, 0, byte(v.Type()))
		if v.Type() == pcommon.ValueTypeStr {
			r.key = append(r.key, v.Str()...)
		} else {
			r.key = append(r.key, v.AsString()...)
		}
		r.key = append(r.key, 0)
	}
	if known, ok := r.resources[string(r.key)]; ok {
		return known
	}
	resource := &event.Resource{Attributes: make([]attribute.KeyValue, 0, attrs.Len())}
	for k, v := range attrs.All() {
		resource.Attributes = append(resource.Attributes, r.readAttribute(strings.Clone(k), r.value(codeOther, v)))
	}
	if len(r.resources) < knownResources {
		r.resources[string(r.key)] = resource
	}
	return resource
}

// Event reads one event. The event and its strings are valid until the next call, and only while attrs is not changed.
func (r *Reader) Event(name string, trace pcommon.TraceID, identity uint64, at pcommon.Timestamp, resource *event.Resource, attrs pcommon.Map) *event.Event {
	r.Read(&r.event, name, trace, identity, at, resource, attrs)
	return &r.event
}

// Read is Event into memory of the caller, whose lists it reuses.
func (r *Reader) Read(e *event.Event, name string, trace pcommon.TraceID, identity uint64, at pcommon.Timestamp, resource *event.Resource, attrs pcommon.Map) {
	*e = event.Event{StepIDs: e.StepIDs, Dependencies: e.Dependencies, Attributes: e.Attributes}
	begin(e, name, trace, identity, at, resource)
	shown := e.ShowsAttributes()
	for key, v := range attrs.All() {
		if of := codeOf(key); of.read(shown) {
			value := r.value(of, v)
			if !r.field(e, of, value) && shown {
				e.Attributes = append(e.Attributes, r.readAttribute(key, value))
			}
		}
	}
}

// value returns a value of pdata. Of a list it returns only that it is one, and sets the items; as an id a list is a text.
func (r *Reader) value(of code, v pcommon.Value) eventbatch.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return eventbatch.Text(v.Str())
	case pcommon.ValueTypeInt:
		return eventbatch.Int(v.Int())
	case pcommon.ValueTypeSlice:
	default:
		return eventbatch.ValueOf(v)
	}
	if of == codeTaskID || of == codeStepID {
		return eventbatch.Text(v.AsString())
	}
	r.items = r.items[:0]
	for _, item := range v.Slice().All() {
		r.items = append(r.items, r.itemOf(item))
	}
	return eventbatch.Value{Kind: eventbatch.KindList}
}

func (r *Reader) itemOf(item pcommon.Value) string {
	if item.Type() == pcommon.ValueTypeInt {
		return r.decimals.of(item.Int())
	}
	return item.AsString()
}

// Empty empties an event but for the memory of its lists.
func Empty(e *event.Event) {
	*e = event.Event{StepIDs: emptied(e.StepIDs), Dependencies: emptied(e.Dependencies), Attributes: emptied(e.Attributes)}
}

// longestKept is the length up to which the memory of a list is kept for another event.
const longestKept = 16

func emptied[T any](list []T) []T {
	if cap(list) > longestKept {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}

// begin sets what every event has, and what field does not set or only adds to.
func begin(e *event.Event, name string, trace pcommon.TraceID, identity uint64, at pcommon.Timestamp, resource *event.Resource) {
	e.TraceID, e.Identity, e.Name, e.At, e.Resource = trace, identity, name, int64(at), resource
	e.Attempt, e.JobRun, e.Refused = -1, -1, false
	e.StepIDs, e.Dependencies, e.Attributes = e.StepIDs[:0], e.Dependencies[:0], e.Attributes[:0]
}

// field reads one attribute into the event's fields. It returns whether the attribute has nothing beyond these fields.
func (r *Reader) field(e *event.Event, of code, v eventbatch.Value) bool {
	switch of {
	case codeTaskID:
		e.TaskID = r.id(v)
	case codeTaskName:
		e.TaskName = text(v)
	case codeStepID:
		e.StepID = r.id(v)
	case codeStepName:
		e.StepName = text(v)
	case codeCorrelationID:
		e.CorrelationID = text(v)
	case codeTraceparent:
		e.Traceparent = text(v)
	case codeAttemptNumber:
		e.Attempt = integer(v)
	case codeStepCount:
		e.StepCount = integer(v)
	case codeTotalSteps:
		e.TotalSteps = integer(v)
	case codeStepIDs:
		e.StepIDs = r.texts(e.StepIDs, v)
	case codeStepDependencies:
		e.Dependencies = r.texts(e.Dependencies, v)
	case codeJobID:
		e.HasJob = true
	case codeAttempt:
		e.JobRun = integer(v)
		return false
	case codeQueueName:
		e.QueueName = text(v)
	case codeFinalStatus:
		e.FinalStatus = text(v)
	case codeProcessingMode:
		e.Mode = text(v)
	case codeErrorClass:
		e.ErrorClass = text(v)
	case codeExceptionClass:
		e.Exception = text(v)
	case codeErrorMessage:
		e.ErrorMessage = text(v)
		return false
	case codeBacktrace:
		e.Backtrace = r.lines(v)
	case codeBackoffType:
		e.BackoffType = text(v)
	case codeBackoffSeconds:
		e.BackoffFor = number(v)
	case codeDuration:
		e.QueryDuration = number(v)
		return false
	case codeSQL:
		e.SQL = text(v)
		return false
	case codeName:
		e.QueryName = text(v)
		return false
	case codeMemoryDeltaMB:
		e.MemoryDeltaMB = number(v)
		return false
	case codeInitializationFail:
		e.Refused = true
	case codeEventType:
		e.Refused = e.Refused || text(v) == "initialization_failed"
	case codeNotShown:
	case codeOther:
		return false
	}
	return true
}

func (r *Reader) id(v eventbatch.Value) event.ID {
	return event.ID{Text: r.text(v), Integer: v.Kind == eventbatch.KindInt}
}

// text returns any value as text.
func (r *Reader) text(v eventbatch.Value) string {
	if v.Kind == eventbatch.KindInt {
		return r.decimals.of(v.Int())
	}
	return v.String()
}

// text returns the text of a value; empty for one of another type.
func text(v eventbatch.Value) string {
	if v.Kind != eventbatch.KindText {
		return ""
	}
	return v.Text
}

// integer returns -1 for a value that is not a number.
func integer(v eventbatch.Value) int {
	switch v.Kind {
	case eventbatch.KindInt:
		return int(v.Int())
	case eventbatch.KindDouble:
		return int(v.Double())
	case eventbatch.KindText:
		if n, err := strconv.Atoi(v.Text); err == nil {
			return n
		}
	}
	return -1
}

// number returns 0 for a value that is not a number. Some senders write numbers as strings, as Ruby does with decimals.
func number(v eventbatch.Value) float64 {
	switch v.Kind {
	case eventbatch.KindInt:
		return float64(v.Int())
	case eventbatch.KindDouble:
		return v.Double()
	case eventbatch.KindText:
		if n, err := strconv.ParseFloat(v.Text, 64); err == nil {
			return n
		}
	}
	return 0
}

// texts appends the elements of the current value; none if it is not a list.
func (r *Reader) texts(into []string, v eventbatch.Value) []string {
	if v.Kind != eventbatch.KindList {
		return into
	}
	return append(into, r.items...)
}

// lines returns a backtrace as one string: Tasker sends a list, or one string with newlines (trap 5).
func (r *Reader) lines(v eventbatch.Value) string {
	if v.Kind != eventbatch.KindList {
		return v.String()
	}
	return strings.Join(r.items, "\n")
}

func (r *Reader) readAttribute(key string, v eventbatch.Value) attribute.KeyValue {
	switch v.Kind {
	case eventbatch.KindInt:
		return attribute.Int(key, v.Int())
	case eventbatch.KindDouble:
		return attribute.Double(key, v.Double())
	case eventbatch.KindBool:
		return attribute.Bool(key, v.Bool())
	case eventbatch.KindList:
		return attribute.Strings(key, r.texts(nil, v))
	}
	return attribute.String(key, v.String())
}
