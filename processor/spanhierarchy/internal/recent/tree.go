// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package recent

import (
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

func value(attrs []attribute.KeyValue, key string) attribute.Value {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value
		}
	}
	return attribute.Value{}
}

func statusOf(s *tree.Span) lifecycle.Status {
	return lifecycle.Status(value(s.Attributes, lifecycle.AttrStatus).Text)
}

func id(v attribute.Value) event.ID {
	if v.Kind == attribute.KindInt {
		return event.ID{Text: strconv.FormatInt(v.Int, 10), Integer: true}
	}
	return event.ID{Text: v.Text}
}

func summary(tree *tree.Tree, emitted int64) livedata.Finished {
	root := &tree.Spans[0]
	of := func(key string) attribute.Value { return value(root.Attributes, key) }
	f := livedata.Finished{
		Key: tree.Key, Run: int(of(lifecycle.AttrRun).Int), ID: id(of(lifecycle.AttrTaskID)), Name: of(lifecycle.AttrTaskName).Text,
		Resource: tree.Resource, CorrelationID: of(lifecycle.AttrCorrelationID).Text,
		Status:  statusOf(root),
		Started: root.Start, Ended: root.End, Emitted: emitted,
		Steps:     int(of(lifecycle.AttrSteps).Int),
		ErrorType: of(lifecycle.AttrErrorType).Text, Error: root.Message,
	}
	if failed := lastFailed(tree); failed != nil {
		f.FailedStep = value(failed.Attributes, lifecycle.AttrStepName).Text
		if f.Error == "" {
			f.ErrorType, f.Error = value(failed.Attributes, lifecycle.AttrErrorType).Text, failed.Message
		}
	}
	return f
}

// lastFailed returns the failed attempt that ended last.
func lastFailed(tree *tree.Tree) (last *tree.Span) {
	for i := range tree.Spans {
		s := &tree.Spans[i]
		if s.Name == lifecycle.SpanStep && s.Failed() && (last == nil || s.End > last.End) {
			last = s
		}
	}
	return last
}

// mentions reports whether a tree matches the search, as [assembly.Search] does for open tasks.
func mentions(tree *tree.Tree, search *assembly.Search) bool {
	if search == nil || search.IsKey(tree.Key) || search.IsKey(tree.Trace) || search.InResource(tree.Resource) {
		return true
	}
	if search.IsID(id(value(tree.Spans[0].Attributes, lifecycle.AttrTaskID))) {
		return true
	}
	for i := range tree.Spans {
		s := &tree.Spans[i]
		if s.Message != "" && search.In(s.Message) {
			return true
		}
		for j := range s.Attributes {
			switch a := &s.Attributes[j]; a.Key {
			case lifecycle.AttrTaskName, lifecycle.AttrStepName, lifecycle.AttrCorrelationID, lifecycle.AttrThreadCorrelationID,
				lifecycle.AttrErrorType:
				if search.In(a.Value.Text) {
					return true
				}
			}
		}
	}
	return false
}
