// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reader reads events out of pdata. Its memory is reused for the next event, so it serves one goroutine.
type Reader struct {
	event     event.Event
	attrs     []attribute.KeyValue
	resources map[string]*event.Resource
	key       []byte
	decimals  decimals
}

// NewReader makes a reader.
func NewReader() *Reader {
	return &Reader{resources: map[string]*event.Resource{}}
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
		resource.Attributes = append(resource.Attributes, readAttribute(strings.Clone(k), v))
	}
	if len(r.resources) < knownResources {
		r.resources[string(r.key)] = resource
	}
	return resource
}

// Event reads one event. The event and its strings are valid until the next call, and only while attrs is not changed.
func (r *Reader) Event(name string, trace pcommon.TraceID, identity uint64, at pcommon.Timestamp, resource *event.Resource, attrs pcommon.Map) *event.Event {
	e := &r.event
	*e = event.Event{
		TraceID: trace, Identity: identity, Name: name, At: int64(at), Resource: resource, Attempt: -1, JobRun: -1,
		StepIDs: e.StepIDs[:0], Dependencies: e.Dependencies[:0],
	}
	r.attrs = r.attrs[:0]
	shown := e.ShowsAttributes()
	for k, v := range attrs.All() {
		if !r.field(e, k, v) && shown {
			r.attrs = append(r.attrs, readAttribute(k, v))
		}
	}
	e.Attributes = r.attrs
	return e
}

// field reads one attribute into the event's fields. It returns whether the attribute has nothing beyond these fields.
func (r *Reader) field(e *event.Event, key string, v pcommon.Value) bool {
	switch key {
	case lifecycle.AttrTaskID:
		e.TaskID = r.id(v)
	case lifecycle.AttrTaskName:
		e.TaskName = v.Str()
	case lifecycle.AttrStepID:
		e.StepID = r.id(v)
	case lifecycle.AttrStepName:
		e.StepName = v.Str()
	case lifecycle.AttrCorrelationID:
		e.CorrelationID = v.Str()
	case lifecycle.AttrTraceparent:
		e.Traceparent = v.Str()
	case lifecycle.AttrAttemptNumber:
		e.Attempt = integer(v)
	case lifecycle.AttrStepCount:
		e.StepCount = integer(v)
	case lifecycle.AttrTotalSteps:
		e.TotalSteps = integer(v)
	case lifecycle.AttrStepIDs:
		e.StepIDs = texts(e.StepIDs, v)
	case lifecycle.AttrStepDependencies:
		e.Dependencies = texts(e.Dependencies, v)
	case lifecycle.AttrJobID:
		e.HasJob = true
	case lifecycle.AttrAttempt:
		e.JobRun = integer(v)
		return false
	case lifecycle.AttrQueueName:
		e.QueueName = v.Str()
	case lifecycle.AttrFinalStatus:
		e.FinalStatus = v.Str()
	case lifecycle.AttrProcessingMode:
		e.Mode = v.Str()
	case lifecycle.AttrErrorClass:
		e.ErrorClass = v.Str()
	case lifecycle.AttrExceptionClass:
		e.Exception = v.Str()
	case lifecycle.AttrErrorMessage:
		e.ErrorMessage = v.Str()
		return false
	case lifecycle.AttrBacktrace:
		e.Backtrace = lines(v)
	case lifecycle.AttrBackoffType:
		e.BackoffType = v.Str()
	case lifecycle.AttrBackoffSeconds:
		e.BackoffFor = number(v)
	case lifecycle.AttrDuration:
		e.QueryDuration = number(v)
		return false
	case lifecycle.AttrSQL:
		e.SQL = v.Str()
		return false
	case lifecycle.AttrName:
		e.QueryName = v.Str()
		return false
	case lifecycle.AttrMemoryDeltaMB:
		e.MemoryDeltaMB = number(v)
		return false
	case lifecycle.AttrInitializationFail:
		e.Refused = true
	case lifecycle.AttrEventType:
		e.Refused = e.Refused || v.Str() == "initialization_failed"
	case lifecycle.AttrSignals, lifecycle.AttrPriority, lifecycle.AttrIdentity, lifecycle.AttrEventID, lifecycle.AttrTimestamp:
	default:
		return false
	}
	return true
}

func (r *Reader) id(v pcommon.Value) event.ID {
	if v.Type() == pcommon.ValueTypeInt {
		return event.ID{Text: r.decimals.of(v.Int()), Integer: true}
	}
	return event.ID{Text: v.AsString()}
}

// integer returns -1 for a value that is not a number.
func integer(v pcommon.Value) int {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return int(v.Int())
	case pcommon.ValueTypeDouble:
		return int(v.Double())
	case pcommon.ValueTypeStr:
		if n, err := strconv.Atoi(v.Str()); err == nil {
			return n
		}
	}
	return -1
}

// number returns 0 for a value that is not a number. Some senders write numbers as strings, as Ruby does with decimals.
func number(v pcommon.Value) float64 {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return float64(v.Int())
	case pcommon.ValueTypeDouble:
		return v.Double()
	case pcommon.ValueTypeStr:
		if n, err := strconv.ParseFloat(v.Str(), 64); err == nil {
			return n
		}
	}
	return 0
}

func texts(into []string, v pcommon.Value) []string {
	if v.Type() != pcommon.ValueTypeSlice {
		return into
	}
	for _, item := range v.Slice().All() {
		into = append(into, item.AsString())
	}
	return into
}

// lines returns a backtrace as one string: Tasker sends a list, or one string with newlines (trap 5).
func lines(v pcommon.Value) string {
	if v.Type() != pcommon.ValueTypeSlice {
		return v.AsString()
	}
	return strings.Join(texts(nil, v), "\n")
}

func readAttribute(key string, v pcommon.Value) attribute.KeyValue {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return attribute.Int(key, v.Int())
	case pcommon.ValueTypeDouble:
		return attribute.Double(key, v.Double())
	case pcommon.ValueTypeBool:
		return attribute.Bool(key, v.Bool())
	case pcommon.ValueTypeSlice:
		return attribute.Strings(key, texts(nil, v))
	}
	return attribute.String(key, v.AsString())
}
