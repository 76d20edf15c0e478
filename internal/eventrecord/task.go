// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// exactFloat is the bound below which float64 represents every integer exactly.
const exactFloat = 1 << 53

// TaskID returns the task's ID as text: an integer in decimal, a string unchanged. It returns false if there is none, as
// for events of the engine itself.
func TaskID(attrs pcommon.Map) (string, bool) {
	id, found := attrs.Get(lifecycle.AttrTaskID)
	if !found {
		return "", false
	}
	text := IDText(id)
	return text, text != ""
}

// TraceID returns the trace ID of the record's task, as [lifecycle.TraceID] of its [TaskID] does. It returns false if there is none.
func TraceID(cached *lifecycle.TraceIDs, namespace, service string, attrs pcommon.Map) (pcommon.TraceID, bool) {
	id, found := attrs.Get(lifecycle.AttrTaskID)
	if !found {
		return pcommon.TraceID{}, false
	}
	if id.Type() == pcommon.ValueTypeInt {
		return cached.OfNumber(namespace, service, id.Int()), true
	}
	task := IDText(id)
	if task == "" {
		return pcommon.TraceID{}, false
	}
	return cached.Of(namespace, service, task), true
}

// IDText returns the text of an ID; an empty one for a value that cannot be an ID.
func IDText(id pcommon.Value) string {
	switch id.Type() {
	case pcommon.ValueTypeStr:
		return id.Str()
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(id.Int(), 10)
	case pcommon.ValueTypeDouble:
		// Some JSON libraries have only floats: 7.0 means 7.
		if d := id.Double(); d == math.Trunc(d) && math.Abs(d) < exactFloat {
			return strconv.FormatInt(int64(d), 10)
		}
	}
	return ""
}

// SignalsOf returns the router's decision on an event; all signals if no router has processed it.
func SignalsOf(attrs pcommon.Map) lifecycle.Signals {
	stamp, found := attrs.Get(lifecycle.AttrSignals)
	if !found {
		return lifecycle.SignalsAll
	}
	return lifecycle.ParseSignals(stamp.Str())
}

// SetDecision stores the router's decision on an event.
func SetDecision(attrs pcommon.Map, signals lifecycle.Signals, priority lifecycle.Priority) {
	attrs.PutStr(lifecycle.AttrSignals, signals.String())
	if priority != lifecycle.PriorityNormal {
		attrs.PutStr(lifecycle.AttrPriority, string(priority))
	}
}
