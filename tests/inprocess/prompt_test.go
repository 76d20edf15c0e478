// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package inprocess

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	reorderWindow = 2 * time.Second
	flushInterval = 5 * time.Second
	// prompt is the maximum delay between the end of the window and the count of what is settled, apart from the flush.
	prompt = time.Second
)

// finished is an attempt with its labels, and the time of its last announcement.
type finished struct {
	labels string
	at     time.Time
}

func label(taskName, stepName, outcome string) string {
	status := "success"
	if outcome != streamtest.OutcomeOK {
		status = "failure"
	}
	return fmt.Sprint("status=", status, " step_name=", stepName, " task_name=", taskName)
}

// counted returns the executions of a flush by labels.
func counted(md pmetric.Metrics, name string, labels ...string) map[string]int64 {
	counts := map[string]int64{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				if metric.Name() != name {
					continue
				}
				for _, dp := range metric.Sum().DataPoints().All() {
					text := ""
					for _, key := range labels {
						value, _ := dp.Attributes().Get(key)
						text += " " + key + "=" + value.AsString()
					}
					counts[text[1:]] += dp.IntValue()
				}
			}
		}
	}
	return counts
}

// TestCountsFollowWhatFinished feeds a stream in real time, or late by less than the window, with repetitions. At each
// flush the counts include at least the attempts with all announcements a window and a second earlier, and none that had
// not finished a window earlier; for a late stream, none whose announcements had not arrived.
func TestCountsFollowWhatFinished(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("late ", late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { countsFollow(t, late) })
		})
	}
}

func countsFollow(t *testing.T, late bool) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 11, Failures: true, SpacingMS: 700})
	ld, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	shift := time.Since(records.At(0).Timestamp().AsTime()) + time.Second

	var all []finished
	for i := range truth {
		for _, attempt := range truth[i].Attempts() {
			all = append(all, finished{label(truth[i].TaskName, attempt.StepName, attempt.Status), time.Unix(0, attempt.End).Add(shift)})
		}
	}
	// until returns what had finished by a time.
	until := func(at time.Time) map[string]int64 {
		counts := map[string]int64{}
		for _, f := range all {
			if !f.at.After(at) {
				counts[f.labels]++
			}
		}
		return counts
	}

	latest := time.Duration(0)
	if late {
		latest = reorderWindow
	}
	flushes, most := 0, 0
	sink, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		flushes++
		got := counted(md, "tasker.step.executions", "status", "step_name", "task_name")
		now := time.Now()
		settled, possible := until(now.Add(-latest-reorderWindow-prompt)), until(now.Add(-reorderWindow))
		for labels, count := range settled {
			assert.GreaterOrEqual(t, got[labels], count, "%v: %s", now, labels)
		}
		for labels, count := range got {
			assert.LessOrEqual(t, count, possible[labels], "%v: %s", now, labels)
		}
		most = max(most, len(settled))
		return nil
	})
	require.NoError(t, err)
	p := newPipeline(t, settings{
		hierarchy: map[string]any{"emit": "parts", "reorder_window": reorderWindow.String()},
		metrics:   map[string]any{"metrics_flush_interval": flushInterval.String()},
	}, sink)

	feed(t, p, arrivals(records, shift, late), ld.ResourceLogs().At(0).Resource())
	time.Sleep(latest + reorderWindow + prompt + 2*flushInterval)
	p.stop(t)
	require.Greater(t, flushes, 5)
	require.Greater(t, most, 10)
}

// arrival is an event and the time of its arrival.
type arrival struct {
	at     time.Time
	record plog.LogRecord
}

// arrivals returns events that arrive when they occur or, if late is set, up to a window later; one in ten is repeated.
func arrivals(records plog.LogRecordSlice, shift time.Duration, late bool) []arrival {
	random := rand.New(rand.NewPCG(3, 5))
	var all []arrival
	for _, record := range records.All() {
		at := record.Timestamp().AsTime().Add(shift)
		record.SetTimestamp(pcommon.NewTimestampFromTime(at))
		delay := time.Duration(0)
		if late {
			delay = time.Duration(random.Int64N(int64(reorderWindow - 10*time.Millisecond)))
		}
		all = append(all, arrival{at.Add(delay), record})
		if random.IntN(10) == 0 {
			all = append(all, arrival{at.Add(delay + time.Second), record})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	return all
}

// feed sends each event at its time.
func feed(t *testing.T, p *pipeline, all []arrival, resource pcommon.Resource) {
	t.Helper()
	for _, a := range all {
		time.Sleep(time.Until(a.at))
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		resource.CopyTo(rl.Resource())
		a.record.CopyTo(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
		require.NoError(t, p.entry.ConsumeLogs(context.Background(), ld))
	}
}
