package waterfall

import (
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// value finds an attribute; its zero value when there is none.
func value(attrs []assembly.Attribute, key string) assembly.Value {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value
		}
	}
	return assembly.Value{}
}

// text is a string or integer attribute as one printable line.
func text(attrs []assembly.Attribute, key string) string {
	v := value(attrs, key)
	if v.Kind == assembly.ValueInt {
		return strconv.FormatInt(v.Int, 10)
	}
	return terminal.Printable(v.Text)
}

func number(s *assembly.Span, key string) int64 { return value(s.Attributes, key).Int }

func marked(s *assembly.Span, key string) bool { return value(s.Attributes, key).Int != 0 }

func status(s *assembly.Span) lifecycle.Status {
	return lifecycle.Status(value(s.Attributes, lifecycle.AttrStatus).Text)
}

// failure is the class and the message of a span's error on one line; empty when it has none.
func failure(s *assembly.Span) string {
	if s.Outcome != assembly.OutcomeError {
		return ""
	}
	class, message := text(s.Attributes, lifecycle.AttrErrorType), terminal.Printable(s.Message)
	if class != "" && message != "" {
		return class + ": " + message
	}
	return class + message
}

// label names a span within its task.
func label(s *assembly.Span) string {
	of := func(key string) string { return text(s.Attributes, key) }
	switch s.Name {
	case lifecycle.SpanTask:
		return title(s)
	case lifecycle.SpanOrchestration:
		return "pass " + of(lifecycle.AttrPassIndex)
	case lifecycle.SpanBatch:
		return "batch " + of(lifecycle.AttrBatchIndex) + " (" + count(number(s, lifecycle.AttrBatchSize), "step") + ")"
	case lifecycle.SpanStep:
		name := of(lifecycle.AttrStepName)
		if name == "" {
			name = "step " + of(lifecycle.AttrStepID)
		}
		if attempt := number(s, lifecycle.AttrAttemptNumber); attempt > 1 {
			name += " #" + strconv.FormatInt(attempt, 10)
		}
		return name
	case lifecycle.SpanHandler:
		return "handler"
	case lifecycle.SpanQuery:
		return joined("query", of(lifecycle.AttrDBOperationName), of(lifecycle.AttrDBCollectionName))
	case lifecycle.SpanQueued:
		return joined("queued", of(lifecycle.AttrQueueName))
	case lifecycle.SpanBackoff:
		return joined("backoff", of(lifecycle.AttrStepName))
	case lifecycle.SpanDependency:
		return "dependencies"
	case lifecycle.SpanFinalization:
		return "finalization"
	}
	return terminal.Printable(s.Name)
}

// title is the name and the id of a task.
func title(s *assembly.Span) string {
	name := text(s.Attributes, lifecycle.AttrTaskName)
	if name == "" {
		name = "task"
	}
	return joined(name, text(s.Attributes, lifecycle.AttrTaskID))
}

func joined(words ...string) string {
	all := ""
	for _, word := range words {
		if word != "" {
			all += " " + word
		}
	}
	return all[min(1, len(all)):]
}

// count is a number of things. The noun is in the singular.
func count(n int64, noun string) string {
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
