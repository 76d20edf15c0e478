// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Value returns an attribute's value; the zero Value if there is none.
func Value(attrs []attribute.KeyValue, key string) attribute.Value {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value
		}
	}
	return attribute.Value{}
}

// Text returns a string or integer attribute as one printable line.
func Text(attrs []attribute.KeyValue, key string) string {
	v := Value(attrs, key)
	if v.Kind == attribute.KindInt {
		return strconv.FormatInt(v.Int, 10)
	}
	return printable.Line(v.Text)
}

// Number returns an integer attribute; 0 if there is none.
func Number(s *tree.Span, key string) int64 { return Value(s.Attributes, key).Int }

// Marked reports whether a boolean attribute is true.
func Marked(s *tree.Span, key string) bool { return Value(s.Attributes, key).Int != 0 }

// Status returns the status attribute of a span; empty if it has none.
func Status(s *tree.Span) lifecycle.Status {
	return lifecycle.Status(Value(s.Attributes, lifecycle.AttrStatus).Text)
}

// Failure returns the class and message of a span's error in one line; empty if it has none.
func Failure(s *tree.Span) string {
	if s.Outcome != tree.OutcomeError {
		return ""
	}
	class, message := Text(s.Attributes, lifecycle.AttrErrorType), printable.Line(s.Message)
	if class != "" && message != "" {
		return class + ": " + message
	}
	return class + message
}

// Label returns a span's name within its task.
func Label(s *tree.Span) string {
	of := func(key string) string { return Text(s.Attributes, key) }
	switch s.Name {
	case lifecycle.SpanTask:
		return Title(s)
	case lifecycle.SpanOrchestration:
		return "pass " + of(lifecycle.AttrPassIndex)
	case lifecycle.SpanBatch:
		return "batch " + of(lifecycle.AttrBatchIndex) + " (" + Count(Number(s, lifecycle.AttrBatchSize), "step") + ")"
	case lifecycle.SpanStep:
		name := of(lifecycle.AttrStepName)
		if name == "" {
			name = "step " + of(lifecycle.AttrStepID)
		}
		if attempt := Number(s, lifecycle.AttrAttemptNumber); attempt > 1 {
			name += " #" + strconv.FormatInt(attempt, 10)
		}
		return name
	case lifecycle.SpanHandler:
		return "handler"
	case lifecycle.SpanQuery:
		return Joined("query", of(lifecycle.AttrDBOperationName), of(lifecycle.AttrDBCollectionName))
	case lifecycle.SpanQueued:
		return Joined("queued", of(lifecycle.AttrQueueName))
	case lifecycle.SpanBackoff:
		return Joined("backoff", of(lifecycle.AttrStepName))
	case lifecycle.SpanDependency:
		return "dependencies"
	case lifecycle.SpanFinalization:
		return "finalization"
	}
	return printable.Line(s.Name)
}

// Title returns the name and ID of a task.
func Title(s *tree.Span) string {
	name := Text(s.Attributes, lifecycle.AttrTaskName)
	if name == "" {
		name = "task"
	}
	return Joined(name, Text(s.Attributes, lifecycle.AttrTaskID))
}

// Joined returns the words that are not empty, with a space between them.
func Joined(words ...string) string {
	all := ""
	for _, word := range words {
		if word != "" {
			all += " " + word
		}
	}
	return all[min(1, len(all)):]
}

// Count formats a number with a noun, which is given in the singular.
func Count(n int64, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "h"):
		noun += "es"
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ies"
	default:
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}
