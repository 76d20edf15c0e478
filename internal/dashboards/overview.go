package dashboards

// The metrics of workflows, by their Prometheus names.
const (
	taskExecutions       = "tasker_task_executions_total"
	taskDuration         = "tasker_task_duration_seconds"
	tasksActive          = "tasker_tasks_active"
	taskQueueDuration    = "tasker_task_queue_duration_seconds"
	taskReenqueues       = "tasker_task_reenqueues_total"
	stepExecutions       = "tasker_step_executions_total"
	stepDuration         = "tasker_step_duration_seconds"
	stepRetries          = "tasker_step_retries_total"
	stepBackoffDuration  = "tasker_step_backoff_duration_seconds"
	stepsActive          = "tasker_steps_active"
	stepErrors           = "tasker_errors_total"
	batchDuration        = "tasker_batch_duration_seconds"
	batchSize            = "tasker_batch_size"
	orchestration        = "tasker_orchestration_duration_seconds"
	viableSteps          = "tasker_workflow_viable_steps"
	events               = "tasker_events_total"
	sqlQueries           = "tasker_sql_queries_total"
	sqlDuration          = "tasker_sql_duration_seconds"
	slowOperations       = "tasker_slow_operations_total"
	operationDuration    = "tasker_operation_duration_seconds"
	operationMemoryDelta = "tasker_operation_memory_delta_bytes"
)

// Matchers on the pages' variables.
const (
	ofService = `job=~"$service"`
	ofTask    = `job=~"$service", task_name=~"$task_name"`
	ofStep    = `job=~"$service", task_name=~"$task_name", step_name=~"$step_name"`
	failed    = `status="failure"`
)

// The pages' addresses.
const (
	overviewUID  = "tasker-overview"
	workflowUID  = "tasker-workflow"
	stepUID      = "tasker-step"
	collectorUID = "tasker-collector"
)

func serviceVariable() Variable {
	return Variable{Name: "service", Label: "Service", Metric: taskExecutions, LabelName: "job", All: true}
}

func taskVariable(all bool) Variable {
	return Variable{Name: "task_name", Label: "Workflow", Metric: taskExecutions, LabelName: "task_name", Filter: ofService, All: all}
}

func stepVariable() Variable {
	return Variable{Name: "step_name", Label: "Step", Metric: stepExecutions, LabelName: "step_name", Filter: ofTask}
}

// overview answers: what runs, what fails, what is slow, over all workflows.
func (b *builder) overview() Dashboard {
	return Dashboard{
		UID: overviewUID, Title: "Tasker: overview",
		Description: "All workflows: what runs, what fails, what is slow. A workflow's name leads to its own page.",
		Variables:   []Variable{serviceVariable(), taskVariable(true)},
		Rows: []Row{
			{Title: "In the time shown", Panels: []Panel{
				stat("Tasks ended", b.describe(taskExecutions, ""), "short", inRange(taskExecutions, ofTask)),
				stat("Failed", "Share of the tasks that ended.", "percentunit", share(taskExecutions, ofTask, failed)),
				stat("p95 duration", b.describe(taskDuration, "The p95."), b.unit(taskDuration), quantile(0.95, taskDuration, ofTask, "$__range")),
				stat("Attempts that were retries", "Share of the attempts of steps.", "percentunit",
					"("+inRange(stepRetries, ofTask)+" or 0 * "+inRange(stepExecutions, ofTask)+") / ("+inRange(stepExecutions, ofTask)+" > 0)"),
				stat("Active tasks", b.describe(tasksActive, "Now."), "short", now(tasksActive, ofTask)),
				stat("Active steps", b.describe(stepsActive, "Now, of all workflows."), "short", now(stepsActive, ofService)),
			}},
			{Title: "Workflows", Panels: []Panel{
				{
					Title: "Workflows", Description: "What each workflow did in the time shown.", Kind: Table, Unit: "short", Width: across, Link: workflowUID,
					Queries: []Query{
						{Expr: inRange(taskExecutions, ofTask, "job", "task_name"), Legend: "Ended"},
						{Expr: share(taskExecutions, ofTask, failed, "job", "task_name"), Legend: "Failed", Unit: "percentunit"},
						{Expr: mean(taskDuration, ofTask, "$__range", "job", "task_name"), Legend: "Mean", Unit: "s"},
						{Expr: quantile(0.95, taskDuration, ofTask, "$__range", "job", "task_name"), Legend: "p95", Unit: "s"},
						{Expr: quantile(0.95, taskQueueDuration, ofTask, "$__range", "job", "task_name"), Legend: "p95 in the queue", Unit: "s"},
						{Expr: now(tasksActive, ofTask, "job", "task_name"), Legend: "Active"},
					},
				},
				b.rate("Tasks ended", taskExecutions, ofTask, third, "status"),
				b.rate("Failures", taskExecutions, join(ofTask, failed), third, "task_name"),
				b.gauge("Active tasks", tasksActive, ofTask, third, "task_name"),
				b.quantiles("Duration of tasks", taskDuration, ofTask, half),
				b.p95("Duration of tasks by workflow", taskDuration, ofTask, half, "task_name"),
			}},
			{Title: "Steps", Panels: []Panel{
				b.rate("Attempts ended", stepExecutions, ofTask, third, "status"),
				b.rate("Errors", stepErrors, ofTask, third, "error_type"),
				b.rate("Retries", stepRetries, ofTask, third, "step_name"),
				b.quantiles("Duration of attempts", stepDuration, ofTask, half),
				b.gauge("Active steps", stepsActive, ofService, half, "step_name"),
			}},
			{Title: "Engine", Panels: []Panel{
				b.p95("Wait in the queue", taskQueueDuration, ofTask, third, "task_name"),
				b.p95("Wait after a backoff", stepBackoffDuration, ofTask, third, "task_name"),
				b.rate("Further passes", taskReenqueues, ofService, third, "reason"),
				b.p95("Duration of passes", orchestration, ofTask, third, "task_name"),
				b.p95("Duration of batches", batchDuration, ofTask, third, "task_name"),
				b.means("Steps in a batch", batchSize, ofTask, third, "task_name"),
				b.means("Steps found ready at once", viableSteps, ofService, half),
				b.rate("Events", events, ofService, half, "event"),
			}},
			{Title: "Queries and operations", Panels: []Panel{
				b.rate("Queries", sqlQueries, ofService, half, "db_operation_name", "db_collection_name"),
				b.p95("Duration of queries", sqlDuration, ofService, half, "db_operation_name", "db_collection_name"),
				b.rate("Slow operations", slowOperations, ofService, third, "operation"),
				b.p95("Duration of operations", operationDuration, ofService, third, "operation"),
				b.p95("Memory of operations", operationMemoryDelta, ofService, third, "operation"),
			}},
		},
	}
}
