package spantometrics

import (
	"time"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// The metrics, as indexes into [definitions]. docs/metrics.md describes them to users; a test compares the two.
const (
	taskExecutions = iota
	taskDuration
	stepExecutions
	stepDuration
	stepRetries
	stepBackoffDuration
	batchDuration
	batchSize
	orchestrationDuration
	taskQueueDuration
	stepErrors
	events
	sqlDuration
	sqlQueries
	slowOperations
	taskReenqueues
	viableSteps
	operationDuration
	operationMemoryDelta
	tasksActive
	stepsActive
	metricCount
)

// Label names beside those of the semantic conventions.
const (
	labelTaskName  = "task_name"
	labelStepName  = "step_name"
	labelStatus    = "status"
	labelEvent     = "event"
	labelOperation = "operation"
	labelReason    = "reason"
)

const mebibyte = 1 << 20

// definitions lists all metrics in the order of their indexes: the built-in ones and then the operator's own.
func definitions(cfg *Config) []series.Definition {
	list := builtInDefinitions(cfg)
	for i := range list {
		histogram := cfg.Metrics[list[i].Name].Histogram
		histogram.apply(&list[i])
	}
	for _, name := range cfg.declaredNames() {
		metric := cfg.Metrics[name]
		list = append(list, metric.definition(cfg, name))
	}
	return list
}

// builtInDefinitions lists the built-in metrics as they are without the section metrics. Durations are recorded in
// nanoseconds.
func builtInDefinitions(cfg *Config) []series.Definition {
	sum := func(name, unit, description string) series.Definition {
		return series.Definition{Name: name, Unit: unit, Description: description, Kind: series.KindSum}
	}
	gauge := func(name, unit, description string) series.Definition {
		return series.Definition{Name: name, Unit: unit, Description: description, Kind: series.KindGauge}
	}
	histogram := func(name, unit, description string, bounds ...int64) series.Definition {
		return series.Definition{Name: name, Unit: unit, Description: description, Kind: series.KindHistogram, Bounds: bounds}
	}
	duration := func(name, description string) series.Definition {
		d := histogram(name, "s", description, cfg.durationBounds()...)
		d.PerUnit = series.Nanoseconds
		d.Exponential = cfg.exponentialSize()
		return d
	}

	list := make([]series.Definition, metricCount)
	list[taskExecutions] = sum("tasker.task.executions", "{task}", "Finished executions of tasks.")
	list[taskDuration] = duration("tasker.task.duration", "Time from a task's first event to its end.")
	list[stepExecutions] = sum("tasker.step.executions", "{step}", "Finished attempts of steps.")
	list[stepDuration] = duration("tasker.step.duration", "Time of one attempt of a step.")
	list[stepRetries] = sum("tasker.step.retries", "{retry}", "Finished attempts of steps beyond the first.")
	list[stepBackoffDuration] = duration("tasker.step.backoff.duration", "Wait between an announced backoff and the next attempt.")
	list[batchDuration] = duration("tasker.batch.duration", "Time of one batch of steps.")
	list[batchSize] = histogram("tasker.batch.size", "{step}", "Steps executed in one batch.",
		1, 2, 3, 5, 10, 20, 50, 100)
	list[orchestrationDuration] = duration("tasker.orchestration.duration", "Time of one orchestration pass.")
	list[taskQueueDuration] = duration("tasker.task.queue.duration", "Wait of a task in the queue before a pass.")
	list[stepErrors] = sum("tasker.errors", "{error}", "Failed attempts of steps, by class of error.")
	list[events] = sum("tasker.events", "{event}", "Events as they were announced, with their repetitions.")
	list[sqlDuration] = duration("tasker.sql.duration", "Time of database queries that steps made.")
	list[sqlQueries] = sum("tasker.sql.queries", "{query}", "Database queries that steps made.")
	list[slowOperations] = sum("tasker.slow_operations", "{operation}", "Operations that the engine found slow.")
	list[taskReenqueues] = sum("tasker.task.reenqueues", "{task}", "Tasks that had to go on in a further pass.")
	list[viableSteps] = histogram("tasker.workflow.viable_steps", "{step}", "Steps found ready at one discovery.",
		0, 1, 2, 3, 5, 10, 20, 50, 100)
	list[operationDuration] = duration("tasker.operation.duration", "Time of operations that performance events report.")
	list[operationMemoryDelta] = histogram("tasker.operation.memory_delta", "By",
		"Memory that operations took, as performance events report.",
		mebibyte, 5*mebibyte, 10*mebibyte, 25*mebibyte, 50*mebibyte, 100*mebibyte, 250*mebibyte, 500*mebibyte,
		1024*mebibyte, 2560*mebibyte, 5120*mebibyte)
	list[tasksActive] = gauge("tasker.tasks.active", "{task}", "Tasks that began and have not ended.")
	list[stepsActive] = gauge("tasker.steps.active", "{step}", "Steps that are being executed.")
	return list
}

// defaultBounds span a quick step and a task of a day.
func defaultBounds() []time.Duration {
	return []time.Duration{
		5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
}
