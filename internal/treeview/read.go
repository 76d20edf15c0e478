// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// ReadJSON parses the output of [WriteJSON].
func ReadJSON(text []byte) (*tree.Tree, error) {
	var task jsonTask
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&task); err != nil {
		return nil, err
	}
	if len(task.Spans) == 0 {
		return nil, fmt.Errorf("task %v has no spans", task.TaskID)
	}
	tree := &tree.Tree{Cut: task.SpansCut, Resource: &event.Resource{Attributes: attributesOf(task.Resource)}}
	if err := ParseID(task.TraceID, tree.Trace[:]); err != nil {
		return nil, err
	}
	for i := range task.Spans {
		span, err := spanOf(&task.Spans[i])
		if err != nil {
			return nil, fmt.Errorf("spans[%d]: %w", i, err)
		}
		tree.Spans = append(tree.Spans, span)
	}
	return tree, nil
}

func spanOf(in *jsonSpan) (tree.Span, error) {
	s := tree.Span{
		Name: in.Name, Start: in.Start.UnixNano(), End: in.End.UnixNano(), Message: in.Message, Attributes: attributesOf(in.Attributes),
		Outcome: tree.Outcome(max(0, slices.Index(outcomeWords[:], in.Outcome))),
	}
	if err := ParseID(in.SpanID, s.ID[:]); err != nil {
		return s, err
	}
	if in.Parent != "" {
		if err := ParseID(in.Parent, s.Parent[:]); err != nil {
			return s, err
		}
	}
	for _, e := range in.Events {
		s.Events = append(s.Events, tree.SpanEvent{Name: e.Name, At: e.Time.UnixNano(), Attributes: attributesOf(e.Attributes)})
	}
	if in.Link != nil {
		s.Link = new(tree.Link)
		if err := ParseID(in.Link.TraceID, s.Link.Trace[:]); err != nil {
			return s, err
		}
		if err := ParseID(in.Link.SpanID, s.Link.Span[:]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// attributesOf returns attributes sorted by key, as JSON keeps no order. A whole number is readable as an integer and as a
// double.
func attributesOf(all map[string]any) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, len(all))
	for key, value := range all {
		a := attribute.KeyValue{Key: key}
		switch v := value.(type) {
		case string:
			a = attribute.String(key, v)
		case bool:
			a = attribute.Bool(key, v)
		case json.Number:
			if n, err := v.Int64(); err == nil {
				a = attribute.Int(key, n)
			} else {
				a = attribute.Double(key, 0)
			}
			a.Value.Double, _ = v.Float64() // out of range becomes infinite
		case []any:
			list := make([]string, 0, len(v))
			for _, item := range v {
				list = append(list, fmt.Sprint(item))
			}
			a = attribute.Strings(key, list)
		default:
			continue
		}
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b attribute.KeyValue) int { return strings.Compare(a.Key, b.Key) })
	return attrs
}
