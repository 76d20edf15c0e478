package spantometrics

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// otherError is the semantic conventions' error.type of a failure without a known class.
const otherError = "_OTHER"

// spanFields are the attributes of a finished span that metrics use. The strings belong to the span.
type spanFields struct {
	task, step, status, errorType string
	attempt, batchSize            int64
	hasBatchSize                  bool
	incomplete, synthesized       bool
}

// readSpan reads the attributes in one pass, which costs less than finding each.
func (r *recorder) readSpan(span ptrace.Span) spanFields {
	var f spanFields
	for key, value := range span.Attributes().All() {
		switch key {
		case lifecycle.AttrTaskName:
			f.task = value.Str()
		case lifecycle.AttrStepName:
			f.step = r.stepLabel(value.Str())
		case lifecycle.AttrStatus:
			f.status = value.Str()
		case lifecycle.AttrErrorType:
			f.errorType = value.Str()
		case lifecycle.AttrAttemptNumber:
			f.attempt = value.Int()
		case lifecycle.AttrBatchSize:
			f.batchSize, f.hasBatchSize = value.Int(), value.Type() == pcommon.ValueTypeInt
		case lifecycle.AttrIncomplete:
			f.incomplete = value.Bool()
		case lifecycle.AttrSynthesized:
			f.synthesized = value.Bool()
		}
	}
	if f.status == "" {
		f.status = string(lifecycle.StatusSuccess)
		if span.Status().Code() == ptrace.StatusCodeError {
			f.status = string(lifecycle.StatusFailure)
		}
	}
	return f
}

// finishedSpan measures one finished span. An incomplete one is no execution. A step or a task that was filled in has an
// end that was announced and counts; other levels that were filled in were guessed and do not.
func (r *recorder) finishedSpan(span ptrace.Span) {
	name := span.Name()
	switch name {
	case lifecycle.SpanTask, lifecycle.SpanStep, lifecycle.SpanBatch, lifecycle.SpanOrchestration, lifecycle.SpanQueued,
		lifecycle.SpanBackoff:
	default:
		return
	}
	f := r.readSpan(span)
	if f.incomplete {
		r.tally.skipped[skipIncomplete]++
		return
	}
	if f.synthesized && name != lifecycle.SpanTask && name != lifecycle.SpanStep {
		r.tally.skipped[skipSynthesized]++
		return
	}
	if r.tooOld(int64(span.EndTimestamp())) || !r.firstSpan(span) {
		return
	}
	r.tally.spans++

	switch name {
	case lifecycle.SpanTask:
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStatus, f.status), span)
		r.Count(taskExecutions)
		r.observeDuration(taskDuration, span)
	case lifecycle.SpanStep:
		r.stepSpan(&f, span)
	case lifecycle.SpanBatch:
		r.dimensions(r.Labels().Add(labelTaskName, f.task), span)
		r.observeDuration(batchDuration, span)
		if f.hasBatchSize && f.batchSize >= 0 {
			r.Observe(batchSize, exemplar(span, f.batchSize))
		} else {
			r.tally.skipped[skipInvalidValue]++
		}
	case lifecycle.SpanOrchestration:
		r.dimensions(r.Labels().Add(labelTaskName, f.task), span)
		r.observeDuration(orchestrationDuration, span)
	case lifecycle.SpanQueued:
		r.dimensions(r.Labels().Add(labelTaskName, f.task), span)
		r.observeDuration(taskQueueDuration, span)
	case lifecycle.SpanBackoff:
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step), span)
		r.observeDuration(stepBackoffDuration, span)
	}
}

func (r *recorder) stepSpan(f *spanFields, span ptrace.Span) {
	r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step).Add(labelStatus, f.status), span)
	r.Count(stepExecutions)
	r.observeDuration(stepDuration, span)
	if f.attempt > 1 {
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step), span)
		r.Count(stepRetries)
	}
	if f.status == string(lifecycle.StatusFailure) {
		if f.errorType == "" {
			f.errorType = otherError
		}
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step).
			Add(lifecycle.AttrErrorType, f.errorType), span)
		r.Count(stepErrors)
	}
}

// dimensions adds the operator's labels behind the built-in ones.
func (r *recorder) dimensions(labels *series.Labels, span ptrace.Span) {
	for i := range r.cfg.Dimensions {
		dimension := &r.cfg.Dimensions[i]
		value, found := span.Attributes().Get(dimension.Name)
		if !found {
			value, found = r.resource.Get(dimension.Name)
		}
		switch {
		case found && value.Type() == pcommon.ValueTypeStr:
			labels.Add(dimension.Name, value.Str())
		case found:
			labels.Add(dimension.Name, value.AsString())
		case dimension.Default != nil:
			labels.Add(dimension.Name, *dimension.Default)
		default:
			labels.Add(dimension.Name, "")
		}
	}
}

// observeDuration records how long a span took. A span without a start, or with its end before it, has no duration.
func (r *recorder) observeDuration(metric int, span ptrace.Span) {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if start == 0 || end < start || end-start > math.MaxInt64 {
		r.tally.skipped[skipInvalidValue]++
		return
	}
	r.Observe(metric, exemplar(span, int64(end-start)))
}

// exemplar links a value to the span that it was measured on.
func exemplar(span ptrace.Span, value int64) series.Exemplar {
	return series.Exemplar{Value: value, At: int64(span.EndTimestamp()), Trace: span.TraceID(), Span: span.SpanID()}
}

// minNumber is the least number of digits that make a step a numbered batch worker: Tasker writes import_001.
const minNumber = 3

// stepLabel is a step's name without the number of a batch worker, which would make each worker a series.
func (c *instance) stepLabel(name string) string {
	if !c.cfg.FoldNumberedSteps {
		return name
	}
	template := strings.TrimRight(name, "0123456789")
	if len(name)-len(template) < minNumber || len(template) < 2 || template[len(template)-1] != '_' {
		return name
	}
	return template[:len(template)-1]
}
