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
			f.task = r.bounded(value.Str())
		case lifecycle.AttrStepName:
			f.step = r.bounded(r.stepLabel(value.Str()))
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
	builtIn := isMeasured(name)
	declared := r.declarations.bySpan[name]
	detected := hasDetected(span)
	if !builtIn && declared == nil && !detected {
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
	r.attrs = span.Attributes()
	if builtIn {
		r.builtInSpan(&f, span)
	}
	if declared != nil {
		took, ok := duration(span)
		if !ok {
			took = -1
		}
		r.measureDeclared(declared, exemplar(span, 0), took)
	}
	if detected {
		r.measureDetected(span)
	}
}

// isMeasured tells whether there are built-in metrics of a level.
func isMeasured(level string) bool {
	switch level {
	case lifecycle.SpanTask, lifecycle.SpanStep, lifecycle.SpanBatch, lifecycle.SpanOrchestration, lifecycle.SpanQueued,
		lifecycle.SpanBackoff:
		return true
	}
	return false
}

func (r *recorder) builtInSpan(f *spanFields, span ptrace.Span) {
	labels := r.Labels().Add(labelTaskName, f.task)
	switch span.Name() {
	case lifecycle.SpanTask:
		r.dimensions(labels.Add(labelStatus, f.status), r.ownDimensions)
		r.count(taskExecutions)
		r.observeDuration(taskDuration, span)
	case lifecycle.SpanStep:
		r.stepSpan(f, span)
	case lifecycle.SpanBatch:
		r.dimensions(labels, r.ownDimensions)
		r.observeDuration(batchDuration, span)
		if f.hasBatchSize && f.batchSize >= 0 {
			r.observe(batchSize, exemplar(span, f.batchSize))
		} else {
			r.tally.skipped[skipInvalidValue]++
		}
	case lifecycle.SpanOrchestration:
		r.dimensions(labels, r.ownDimensions)
		r.observeDuration(orchestrationDuration, span)
	case lifecycle.SpanQueued:
		r.dimensions(labels, r.ownDimensions)
		r.observeDuration(taskQueueDuration, span)
	case lifecycle.SpanBackoff:
		r.dimensions(labels.Add(labelStepName, f.step), r.ownDimensions)
		r.observeDuration(stepBackoffDuration, span)
	}
}

func (r *recorder) stepSpan(f *spanFields, span ptrace.Span) {
	r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step).Add(labelStatus, f.status), r.ownDimensions)
	r.count(stepExecutions)
	r.observeDuration(stepDuration, span)
	if f.attempt > 1 {
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step), r.ownDimensions)
		r.count(stepRetries)
	}
	if f.status == string(lifecycle.StatusFailure) {
		if f.errorType == "" {
			f.errorType = otherError
		}
		r.dimensions(r.Labels().Add(labelTaskName, f.task).Add(labelStepName, f.step).
			Add(lifecycle.AttrErrorType, f.errorType), r.ownDimensions)
		r.count(stepErrors)
	}
}

// observeDuration records how long a span took.
func (r *recorder) observeDuration(metric int, span ptrace.Span) {
	took, ok := duration(span)
	if !ok {
		r.tally.skipped[skipInvalidValue]++
		return
	}
	r.observe(metric, exemplar(span, took))
}

// duration is false for a span without a start, or with its end before it.
func duration(span ptrace.Span) (int64, bool) {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if start == 0 || end < start || end-start > math.MaxInt64 {
		return 0, false
	}
	return int64(end - start), true
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
