// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// jsonTask is the JSON form of a task. Names follow OTLP where it has one; times are RFC 3339 with nanoseconds.
type jsonTask struct {
	TraceID    string         `json:"trace_id"`
	TaskID     any            `json:"task_id,omitempty"`
	TaskName   any            `json:"task_name,omitempty"`
	Status     string         `json:"status,omitempty"`
	Incomplete bool           `json:"incomplete"`
	Start      time.Time      `json:"start"`
	Seconds    float64        `json:"duration_seconds"`
	Resource   map[string]any `json:"resource"`
	SpansCut   int            `json:"spans_cut,omitempty"`
	Spans      []jsonSpan     `json:"spans"`
}

type jsonSpan struct {
	SpanID     string         `json:"span_id"`
	Parent     string         `json:"parent_span_id,omitempty"`
	Name       string         `json:"name"`
	Start      time.Time      `json:"start"`
	End        time.Time      `json:"end"`
	Outcome    string         `json:"outcome"`
	Message    string         `json:"message,omitempty"`
	Attributes map[string]any `json:"attributes"`
	Events     []jsonEvent    `json:"events,omitempty"`
	Link       *jsonLink      `json:"link,omitempty"`
}

type jsonEvent struct {
	Name       string         `json:"name"`
	Time       time.Time      `json:"time"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

type jsonLink struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

// WriteJSON writes a task as one line of JSON. It does not retain the tree.
func WriteJSON(w io.Writer, tree *tree.Tree) error {
	root := &tree.Spans[0]
	task := jsonTask{
		TraceID:    hex.EncodeToString(tree.Trace[:]),
		Status:     string(Status(root)),
		Incomplete: Marked(root, lifecycle.AttrIncomplete),
		Start:      instant(root.Start),
		Seconds:    float64(root.End-root.Start) / 1e9,
		SpansCut:   tree.Cut,
		Spans:      make([]jsonSpan, len(tree.Spans)),
	}
	if tree.Resource != nil {
		task.Resource = object(tree.Resource.Attributes)
	}
	attributes := object(root.Attributes)
	task.TaskID, task.TaskName = attributes[lifecycle.AttrTaskID], attributes[lifecycle.AttrTaskName]
	for i := range tree.Spans {
		task.Spans[i] = spanObject(&tree.Spans[i])
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(task)
}

func spanObject(s *tree.Span) jsonSpan {
	span := jsonSpan{
		SpanID: hex.EncodeToString(s.ID[:]), Name: s.Name, Start: instant(s.Start), End: instant(s.End),
		Outcome: outcomeWords[s.Outcome], Message: s.Message, Attributes: object(s.Attributes),
	}
	if s.Parent != (event.SpanID{}) {
		span.Parent = hex.EncodeToString(s.Parent[:])
	}
	for i := range s.Events {
		event := &s.Events[i]
		span.Events = append(span.Events, jsonEvent{event.Name, instant(event.At), object(event.Attributes)})
	}
	if s.Link != nil {
		span.Link = &jsonLink{hex.EncodeToString(s.Link.Trace[:]), hex.EncodeToString(s.Link.Span[:])}
	}
	return span
}

func instant(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

func object(attrs []attribute.KeyValue) map[string]any {
	all := make(map[string]any, len(attrs))
	for i := range attrs {
		switch v := &attrs[i].Value; v.Kind {
		case attribute.KindInt:
			all[attrs[i].Key] = v.Int
		case attribute.KindDouble:
			all[attrs[i].Key] = v.Double
		case attribute.KindBool:
			all[attrs[i].Key] = v.Int != 0
		case attribute.KindStrings:
			all[attrs[i].Key] = v.Strings
		default:
			all[attrs[i].Key] = v.Text
		}
	}
	return all
}

// ParseID parses a hexadecimal ID.
func ParseID(text string, into []byte) error {
	if n, err := hex.Decode(into, []byte(text)); err != nil || n != len(into) {
		return fmt.Errorf("%q is not an id of %d hexadecimal digits", text, 2*len(into))
	}
	return nil
}

// outcomeWords are the JSON values of span outcomes.
var outcomeWords = [...]string{"unset", "ok", "error"}
