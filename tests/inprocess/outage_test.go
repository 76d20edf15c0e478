// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package inprocess

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	outageTasks = 30
	// A task is retried every three minutes: 40 times in the two hours of the outage.
	retryEvery   = 3 * time.Minute
	outageBegins = 30 * time.Minute
	outageEnds   = outageBegins + 2*time.Hour
	outageOver   = outageEnds + 30*time.Minute
	scrapeEvery  = time.Minute
)

// outage builds the events of an application whose payment gateway is down for two hours.
type outage struct {
	began time.Time
	all   []arrival
}

// say adds an event, some milliseconds after the previous one.
func (o *outage) say(at *time.Duration, name string, task int, attrs map[string]any) {
	*at += 7 * time.Millisecond
	record := plog.NewLogRecord()
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(o.began.Add(*at)))
	if err := record.Attributes().FromRaw(attrs); err != nil {
		panic(err)
	}
	record.Attributes().PutInt(lifecycle.AttrTaskID, int64(task))
	record.Attributes().PutStr(lifecycle.AttrTaskName, "order")
	o.all = append(o.all, arrival{o.began.Add(*at), record})
}

// pass adds a pass of a task that charges a card, and returns its end.
func (o *outage) pass(at time.Duration, task int, fails bool) time.Duration {
	step := map[string]any{lifecycle.AttrStepID: task, lifecycle.AttrStepName: "charge"}
	o.say(&at, lifecycle.ObservabilityTaskEnqueue, task, map[string]any{"tasker.job_id": fmt.Sprint("job-", task)})
	o.say(&at, lifecycle.WorkflowTaskStarted, task, nil)
	for range 2 {
		o.say(&at, lifecycle.WorkflowViableStepsDiscovered, task, map[string]any{lifecycle.AttrStepCount: 1})
	}
	o.say(&at, lifecycle.WorkflowStepsExecutionStarted, task, map[string]any{lifecycle.AttrStepCount: 1})
	for range 3 {
		o.say(&at, lifecycle.StepExecutionRequested, task, step)
	}
	o.say(&at, lifecycle.StepBeforeHandle, task, step)
	at += time.Second
	end, failure := lifecycle.StepCompleted, map[string]any{}
	if fails {
		end, failure = lifecycle.StepFailed, map[string]any{"tasker.error_class": "Gateway::Timeout"}
	}
	maps.Copy(failure, step)
	for range 3 {
		o.say(&at, end, task, failure)
	}
	o.say(&at, lifecycle.WorkflowStepsExecutionCompleted, task, nil)
	for range 2 {
		o.say(&at, lifecycle.WorkflowTaskFinalizationStarted, task, nil)
	}
	status := "pending"
	if !fails {
		status = "complete"
		for range 2 {
			o.say(&at, lifecycle.TaskCompleted, task, nil)
		}
	}
	for range 2 {
		o.say(&at, lifecycle.WorkflowTaskFinalizationCompleted, task, map[string]any{lifecycle.AttrFinalStatus: status})
	}
	if fails {
		o.say(&at, lifecycle.StepInitializeRequested, task, map[string]any{
			lifecycle.AttrStepID: task, lifecycle.AttrStepName: "charge", lifecycle.AttrToState: "pending",
		})
	}
	return at
}

// live begins a task every six seconds. Tasks affected by the outage, as many as there are workers, are retried until it is
// over.
func (o *outage) live() {
	task, waiting := 0, 0
	for at := time.Duration(0); at < outageOver; at += 6 * time.Second {
		down := at >= outageBegins && at < outageEnds
		if down && waiting == outageTasks {
			continue
		}
		task++
		began := at
		o.say(&began, lifecycle.TaskStartRequested, task, map[string]any{lifecycle.AttrStepCount: 1})
		if !down {
			o.pass(began, task, false)
			continue
		}
		waiting++
		for ; began < outageEnds; began += retryEvery {
			o.pass(began, task, true)
		}
		o.pass(began, task, false)
	}
	slices.SortStableFunc(o.all, func(a, b arrival) int { return a.at.Compare(b.at) })
}

// scrapes holds the values of series, one per scrape.
type scrapes map[string][]string

// take adds the values of a flush as those of a numbered scrape.
func (s scrapes) take(number int, md pmetric.Metrics) {
	prometheus := map[string]string{
		"tasker.step.executions": "tasker_step_executions_total", "tasker.tasks.active": "tasker_tasks_active",
		"tasker.tasks.oldest_active_age": "tasker_tasks_oldest_active_age_seconds", "tasker.task.executions": "tasker_task_executions_total",
	}
	for _, metric := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		name, wanted := prometheus[metric.Name()]
		if !wanted {
			continue
		}
		var points pmetric.NumberDataPointSlice
		if metric.Type() == pmetric.MetricTypeSum {
			points = metric.Sum().DataPoints()
		} else {
			points = metric.Gauge().DataPoints()
		}
		for _, dp := range points.All() {
			labels := []string{`job="shop"`, `instance="c"`}
			for key, value := range dp.Attributes().All() {
				labels = append(labels, fmt.Sprintf("%s=%q", key, value.AsString()))
			}
			value := float64(dp.IntValue())
			if dp.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				value = dp.DoubleValue()
			}
			s.add(name+"{"+strings.Join(labels, ", ")+"}", number, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
}

func (s scrapes) add(series string, number int, value string) {
	for len(s[series]) < number {
		s[series] = append(s[series], "_")
	}
	s[series] = append(s[series][:number], value)
}

// TestAlertsDuringAnOutage simulates two hours in which a payment gateway is down, and passes the metrics of each minute to
// promtool: the alert fires within minutes of the beginning of the outage, and as long as it lasts.
func TestAlertsDuringAnOutage(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("needs a peer: promtool is not installed")
	}
	seen := scrapes{}
	synctest.Test(t, func(t *testing.T) { observeOutage(t, seen) })

	rules, err := filepath.Abs("../../deploy/prometheus/rules")
	require.NoError(t, err)
	test := strings.Builder{}
	fmt.Fprintf(&test, "rule_files: [%[1]s/tasker.recording.yaml, %[1]s/tasker.alerts.yaml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n", rules)
	fmt.Fprintf(&test, "      - {series: 'up{job=\"tasker\", instance=\"a:8889\"}', values: 1x300}\n")
	for _, series := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(&test, "      - {series: '%s', values: %s}\n", series, strings.Join(seen[series], " "))
	}
	test.WriteString("    promql_expr_test:\n")
	const firing = `ALERTS{alertname="TaskerDependencyFailing", alertstate="firing", job="shop", severity="critical", step_name="charge", task_name="order"}`
	for _, check := range []struct {
		at     time.Duration
		firing bool
	}{
		{outageBegins, false}, {outageBegins + 6*time.Minute, true}, {outageBegins + time.Hour, true}, {outageEnds - time.Minute, true},
		{outageEnds + 10*time.Minute, false},
	} {
		samples := "[]"
		if check.firing {
			samples = fmt.Sprintf("[{labels: '%s', value: 1}]", firing)
		}
		fmt.Fprintf(&test, "      - {expr: 'ALERTS{alertstate=\"firing\", severity=\"critical\"}', eval_time: %.0fm, exp_samples: %s}\n", check.at.Minutes(), samples)
	}
	path := filepath.Join(t.TempDir(), "outage.test.yaml")
	require.NoError(t, os.WriteFile(path, []byte(test.String()), 0o600))
	output, err := exec.Command(promtool, "test", "rules", path).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

func observeOutage(t *testing.T, seen scrapes) {
	began := time.Now()
	flushed := pmetric.NewMetrics()
	sink, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		flushed = md
		return nil
	})
	require.NoError(t, err)
	p := newPipeline(t, settings{
		hierarchy: map[string]any{"emit": "parts"}, metrics: map[string]any{"metrics_flush_interval": flushInterval.String()},
	}, sink)
	o := &outage{began: began}
	o.live()
	resource := pcommon.NewResource()
	resource.Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	next := 0
	for scrape := range int(outageOver / scrapeEvery) {
		until := began.Add(time.Duration(scrape) * scrapeEvery)
		from := next
		for next < len(o.all) && o.all[next].at.Before(until) {
			next++
		}
		feed(t, p, o.all[from:next], resource)
		time.Sleep(time.Until(until))
		synctest.Wait()
		if flushed.ResourceMetrics().Len() > 0 {
			seen.take(scrape, flushed)
		}
	}
	p.stop(t)
}
