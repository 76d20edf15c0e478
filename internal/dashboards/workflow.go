package dashboards

// workflow answers: which step makes this workflow fail, or slow.
func (b *builder) workflow() Dashboard {
	byStep := []string{"job", "task_name", "step_name"}
	return Dashboard{
		UID: workflowUID, Title: "Tasker: one workflow",
		Description: "One workflow: its results and durations, and which of its steps take the time or fail.",
		Variables:   []Variable{serviceVariable(), taskVariable(false)},
		Rows: []Row{
			{Title: "In the time shown", Panels: []Panel{
				stat("Ended", b.describe(taskExecutions, ""), "short", inRange(taskExecutions, ofTask)),
				stat("Failed", "Share of the tasks that ended.", "percentunit", share(taskExecutions, ofTask, failed)),
				stat("Mean duration", b.describe(taskDuration, "The mean."), b.unit(taskDuration), mean(taskDuration, ofTask, "$__range")),
				stat("p95 duration", b.describe(taskDuration, "The p95."), b.unit(taskDuration), quantile(0.95, taskDuration, ofTask, "$__range")),
				stat("p95 in the queue", b.describe(taskQueueDuration, "The p95."), b.unit(taskQueueDuration), quantile(0.95, taskQueueDuration, ofTask, "$__range")),
				stat("Active", b.describe(tasksActive, "Now."), "short", now(tasksActive, ofTask)),
			}},
			{Title: "The workflow", Panels: []Panel{
				b.rate("Ended", taskExecutions, ofTask, half, "status"),
				b.gauge("Active", tasksActive, ofTask, half),
				b.heatmap("Durations", taskDuration, ofTask, half),
				b.quantiles("Duration", taskDuration, ofTask, half),
				b.quantiles("Wait in the queue", taskQueueDuration, ofTask, third),
				b.quantiles("Duration of passes", orchestration, ofTask, third),
				b.quantiles("Duration of batches", batchDuration, ofTask, third),
			}},
			{Title: "Its steps", Panels: []Panel{
				{
					Title: "Steps", Description: "What each step did in the time shown. Time a second is how many of its attempts ran at once, on the average.",
					Kind: Table, Unit: "short", Width: across, Link: stepUID,
					Queries: []Query{
						{Expr: inRange(stepExecutions, ofTask, byStep...), Legend: "Attempts"},
						{Expr: share(stepExecutions, ofTask, failed, byStep...), Legend: "Failed", Unit: "percentunit"},
						{Expr: inRange(stepRetries, ofTask, byStep...), Legend: "Retries"},
						{Expr: mean(stepDuration, ofTask, "$__range", byStep...), Legend: "Mean", Unit: "s"},
						{Expr: quantile(0.95, stepDuration, ofTask, "$__range", byStep...), Legend: "p95", Unit: "s"},
						{Expr: inRange(stepDuration+"_sum", ofTask, byStep...), Legend: "Time in all", Unit: "s"},
						{Expr: inRange(stepBackoffDuration+"_sum", ofTask, byStep...), Legend: "Backoff in all", Unit: "s"},
					},
				},
				b.p95("Duration of attempts", stepDuration, ofTask, half, "step_name"),
				b.rate("Failed attempts", stepExecutions, join(ofTask, failed), half, "step_name"),
				b.rate("Errors", stepErrors, ofTask, third, "step_name", "error_type"),
				b.rate("Retries", stepRetries, ofTask, third, "step_name"),
				b.p95("Wait after a backoff", stepBackoffDuration, ofTask, third, "step_name"),
			}},
		},
	}
}
