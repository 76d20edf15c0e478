package dashboards

// What tasker.recording.yaml records.
const (
	stepP95     = "job_task_step:tasker_step_duration_seconds:p95_30m"
	stepWeekP95 = "job_task_step:tasker_step_duration_seconds:p95_1w"
)

// step answers: is this step slower than usual, and how does it fail.
func (b *builder) step() Dashboard {
	return Dashboard{
		UID: stepUID, Title: "Tasker: one step",
		Description: "One step of a workflow: its attempts, durations and errors, beside what is usual.",
		Variables:   []Variable{serviceVariable(), taskVariable(false), stepVariable()},
		Rows: []Row{
			{Title: "In the time shown", Panels: []Panel{
				stat("Attempts", b.describe(stepExecutions, ""), "short", inRange(stepExecutions, ofStep)),
				stat("Failed", "Share of the attempts.", "percentunit", share(stepExecutions, ofStep, failed)),
				stat("Retries", b.describe(stepRetries, ""), "short", inRange(stepRetries, ofStep)),
				stat("Mean duration", b.describe(stepDuration, "The mean."), b.unit(stepDuration), mean(stepDuration, ofStep, "$__range")),
				stat("p95 duration", b.describe(stepDuration, "The p95."), b.unit(stepDuration), quantile(0.95, stepDuration, ofStep, "$__range")),
				stat("Active", b.describe(stepsActive, "Now, in all workflows with a step of this name."), "short",
					now(stepsActive, `job=~"$service", step_name=~"$step_name"`)),
			}},
			{Title: "Duration", Panels: []Panel{
				b.heatmap("Durations", stepDuration, ofStep, half),
				b.quantiles("Duration", stepDuration, ofStep, half),
				{
					Title: "p95 beside its week", Kind: Graph, Unit: "s", Width: half,
					Description: "The p95 of half an hour, and the median of that over the week before. Recorded by the rules in deploy/prometheus.",
					Queries: []Query{
						{Expr: "max(" + stepP95 + "{" + ofStep + "})", Legend: "p95"},
						{Expr: "max(" + stepWeekP95 + "{" + ofStep + "})", Legend: "usual"},
					},
				},
				b.p95("Duration by result", stepDuration, ofStep, half, "status"),
			}},
			{Title: "Results", Panels: []Panel{
				b.rate("Attempts", stepExecutions, ofStep, half, "status"),
				b.rate("Errors", stepErrors, ofStep, half, "error_type"),
				b.rate("Retries", stepRetries, ofStep, half),
				b.quantiles("Wait after a backoff", stepBackoffDuration, ofStep, half),
			}},
		},
	}
}
