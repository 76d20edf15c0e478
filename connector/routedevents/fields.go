// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Entity types of Tasker's structured log.
const (
	entityTask = "task"
	entityStep = "step"
)

// Limits of the performance categories, in milliseconds. From one second on Tasker calls an operation slow.
const (
	fastBelow     = 100
	moderateBelow = 1000
	slowBelow     = 10_000
)

// fields are those of Tasker's structured log that follow from an event. Empty ones do not apply to it.
type fields struct {
	component            string
	entityType           string
	entityID, entityName string
	eventType            string
	durationMS           float64 // zero when the event has no duration
	performanceCategory  string
	exceptionClass       string
}

// fieldsOf reads an event without changing it.
func fieldsOf(name string, attrs pcommon.Map) fields {
	f := fields{component: componentOf(name), eventType: eventrecord.Text(attrs, lifecycle.AttrEventType)}
	if f.eventType == "" {
		f.eventType = name[strings.LastIndexByte(name, '.')+1:]
	}
	f.setEntity(attrs)
	if f.durationMS = durationOf(attrs); f.durationMS > 0 {
		f.performanceCategory = categoryOf(f.durationMS)
	}
	// The true class is in error_class; exception_class is nearly always StandardError (docs/tasker-events.md, trap 5).
	if f.exceptionClass = eventrecord.Text(attrs, lifecycle.AttrErrorClass); f.exceptionClass == "" {
		f.exceptionClass = eventrecord.Text(attrs, lifecycle.AttrExceptionClass)
	}
	return f
}

// componentOf returns the part of Tasker named by an event's prefix; other names are an application's.
func componentOf(name string) string {
	group, _, grouped := strings.Cut(name, ".")
	if !grouped {
		return "application"
	}
	switch group {
	case "task", "step", "workflow", "observability", "database", "dependency", "batch", "memory", "performance",
		"handler", "plugin", "subscriber", "registry":
		return group
	case "tasker":
		return "telemetry"
	}
	return "application"
}

// setEntity sets the entity of an event: its step, if it has one, else its task.
func (f *fields) setEntity(attrs pcommon.Map) {
	if f.entityID, f.entityName = idText(attrs, lifecycle.AttrStepID), eventrecord.Text(attrs, lifecycle.AttrStepName); f.entityID+f.entityName != "" {
		f.entityType = entityStep
		return
	}
	f.entityID, _ = eventrecord.TaskID(attrs)
	if f.entityName = eventrecord.Text(attrs, lifecycle.AttrTaskName); f.entityID+f.entityName != "" {
		f.entityType = entityTask
	}
}

// idText returns an id in text form, or empty.
func idText(attrs pcommon.Map, key string) string {
	if value, found := attrs.Get(key); found && (value.Type() == pcommon.ValueTypeInt || value.Type() == pcommon.ValueTypeStr) {
		return value.AsString()
	}
	return ""
}

// durationOf returns a finished span's duration, or the first plausible one of a payload, in milliseconds rounded to a hundredth:
// the engine fires steps with durations of zero or less (docs/tasker-events.md, trap 3).
func durationOf(attrs pcommon.Map) float64 {
	if value, found := attrs.Get(lifecycle.AttrDurationMS); found && value.Type() == pcommon.ValueTypeDouble {
		return value.Double()
	}
	for _, key := range [...]string{lifecycle.AttrDuration, lifecycle.AttrTotalExecutionDuration, lifecycle.AttrExecutionDuration} {
		value, found := attrs.Get(key)
		if !found {
			continue
		}
		seconds := 0.0
		switch value.Type() {
		case pcommon.ValueTypeDouble:
			seconds = value.Double()
		case pcommon.ValueTypeInt:
			seconds = float64(value.Int())
		}
		if milliseconds := math.Round(seconds*1e5) / 100; milliseconds > 0 && !math.IsInf(milliseconds, 1) {
			return milliseconds
		}
	}
	return 0
}

func categoryOf(milliseconds float64) string {
	switch {
	case milliseconds < fastBelow:
		return "fast"
	case milliseconds < moderateBelow:
		return "moderate"
	case milliseconds < slowBelow:
		return "slow"
	}
	return "very_slow"
}

// put writes the fields as attributes, and splits a backtrace that is one string.
func (f *fields) put(attrs pcommon.Map) {
	for _, field := range [...]struct{ key, text string }{
		{lifecycle.AttrComponent, f.component},
		{lifecycle.AttrEntityType, f.entityType},
		{lifecycle.AttrEntityID, f.entityID},
		{lifecycle.AttrEntityName, f.entityName},
		{lifecycle.AttrEventType, f.eventType},
		{lifecycle.AttrPerformanceCategory, f.performanceCategory},
		{lifecycle.AttrExceptionClass, f.exceptionClass},
	} {
		if field.text != "" {
			attrs.PutStr(field.key, field.text)
		}
	}
	if f.durationMS > 0 {
		attrs.PutDouble(lifecycle.AttrDurationMS, f.durationMS)
	}
	listBacktrace(attrs)
}

// listBacktrace splits a backtrace that is one string into lines.
func listBacktrace(attrs pcommon.Map) {
	value, found := attrs.Get(lifecycle.AttrBacktrace)
	if !found || value.Type() != pcommon.ValueTypeStr || !strings.Contains(value.Str(), "\n") {
		return
	}
	lines := strings.Split(strings.TrimRight(value.Str(), "\n"), "\n")
	list := value.SetEmptySlice()
	list.EnsureCapacity(len(lines))
	for _, line := range lines {
		list.AppendEmpty().SetStr(line)
	}
}
