// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
)

// Metrics of the registry in tests.
const (
	tasksActive = iota
	stepsActive
	oldestAge
)

// fixture counts tasks and steps on the gauges of a registry, as the connector does.
type fixture struct {
	require.TestingT
	options  Options
	registry *series.Registry
	tracker  *Tracker
	writer   series.Writer
	// entries are the log's entries.
	entries [][]byte
	// name and refuse control the labeler.
	name   string
	refuse bool
}

func wide() Options { return Options{MaxIDs: 100, MaxAge: 1000, Memory: 100} }

func newFixture(t require.TestingT, options Options) *fixture {
	f := &fixture{TestingT: t, options: options}
	f.begin()
	return f
}

// begin makes empty sets.
func (f *fixture) begin() {
	f.registry = series.NewRegistry([]series.Definition{
		tasksActive: {Name: "tasks", Kind: series.KindGauge, Labels: []string{"name", "state"}},
		stepsActive: {Name: "steps", Kind: series.KindGauge, Labels: []string{"name"}},
		oldestAge:   {Name: "oldest", Kind: series.KindGauge, Labels: []string{"name"}},
	}, series.Options{MaxSeries: 20, MaxApplications: 10, Total: shares.Size{Items: 1000, Bytes: 1 << 30}}, 0)
	f.tracker = New(f.options)
}

// record makes the registry and the tracker write to the log.
func (f *fixture) record() {
	log := records.New(func(entry []byte) { f.entries = append(f.entries, slices.Clone(entry)) })
	f.registry.SetLog(log)
	f.tracker.SetLog(log)
}

// restart restores the sets from the log, or from a snapshot.
func (f *fixture) restart(now int64, fromSnapshot bool) {
	entries := f.entries
	if fromSnapshot {
		entries = nil
		log := records.New(func(entry []byte) { entries = append(entries, slices.Clone(entry)) })
		w := f.registry.Begin(at(now))
		log.Begin(at(now))
		w.Write(log)
		f.tracker.Write(log)
		log.End()
		w.End()
	}
	f.begin()
	restored := f.registry.Replay()
	p := replayer{restored, f.tracker.Restore(restored.Gauge)}
	for _, entry := range entries {
		require.NoError(f, records.Read(entry, p))
	}
	p.End()
	f.locked(now, func() { p.Resume(f) })
	f.entries = entries
	f.record()
}

type replayer struct {
	*series.Replay
	*Restorer
}

func (replayer) Seen(records.Things, uint64) {}
func (replayer) Identity(records.Identity)   {}

func at(now int64) series.Instant { return series.Instant{Wall: now, Running: now} }

func (f *fixture) IsOfTask() bool { return !f.refuse }

func (f *fixture) Task(state State) (gauge series.Gauge, complete bool) {
	f.writer.Labels().Add("name", f.name).Add("state", state.String())
	return f.writer.Gauge(tasksActive), f.name != ""
}

func (f *fixture) Step() (gauge series.Gauge, complete bool) {
	f.writer.Labels().Add("name", f.name)
	return f.writer.Gauge(stepsActive), f.name != ""
}

func (f *fixture) InState(of series.Gauge, state State) series.Gauge {
	return f.writer.GaugeLike(of, tasksActive, "state", state.String())
}

func (f *fixture) OldestAge(of series.Gauge) series.Gauge {
	return f.writer.GaugeLike(of, oldestAge, "", "")
}

func (f *fixture) locked(now int64, do func()) {
	f.writer = f.registry.Begin(at(now))
	defer f.writer.End()
	f.writer.Application("", "shop")
	do()
}

func (f *fixture) observe(e Event, now int64) {
	f.locked(now, func() { f.tracker.Observe(&e, at(now), f) })
}

func (f *fixture) task(id byte, change TaskChange, happened, now int64) {
	f.observe(Event{Trace: [16]byte{id}, At: happened, Change: change}, now)
}

func (f *fixture) step(id byte, step uint64, change StepChange, happened, now int64) {
	f.observe(Event{Trace: [16]byte{id}, At: happened, Step: step, StepChange: change}, now)
}

func (f *fixture) age(now int64) (evictions Evictions) {
	f.locked(now, func() { evictions = f.tracker.Age(at(now), f) })
	return evictions
}

// levels returns the non-zero values of a gauge by labels.
func (f *fixture) levels(metric string, now int64) map[string]int64 {
	snapshot := f.registry.Collect(at(now))
	f.registry.Accept(&snapshot)
	levels := map[string]int64{}
	for _, app := range snapshot.Applications {
		for _, m := range app.Metrics {
			if m.Definition.Name != metric {
				continue
			}
			for _, point := range m.Points {
				labels := ""
				for _, label := range point.Labels {
					labels += " " + label.Value
				}
				if point.Value.Level != 0 {
					levels[labels] = point.Value.Level
				}
			}
		}
	}
	return levels
}

func (f *fixture) tasks() map[string]int64 { return f.levels("tasks", 1) }

func TestNameLearnedLater(t *testing.T) {
	f := newFixture(t, wide())
	f.task(1, Mentioned, 1, 1)
	require.Equal(t, map[string]int64{" queued": 1}, f.tasks())
	f.task(1, Began, 2, 2)
	require.Equal(t, map[string]int64{" running": 1}, f.tasks())
	f.name = "order"
	f.task(1, Mentioned, 3, 3)
	require.Equal(t, map[string]int64{" order running": 1}, f.tasks())
	f.age(4)
	require.Equal(t, map[string]int64{" order": 3}, f.levels("oldest", 4))
	f.name = "other"
	f.task(1, Left, 4, 4)
	require.Equal(t, map[string]int64{" order waiting": 1}, f.tasks(), "a known name is not asked for again")
	f.task(1, Ended, 5, 5)
	require.Empty(t, f.tasks())
	f.age(6)
	require.Empty(t, f.levels("oldest", 6))
}

func TestForeignEventsOpenNothing(t *testing.T) {
	f := newFixture(t, wide())
	f.refuse = true
	f.task(1, Mentioned, 1, 1)
	f.step(1, 1, Requested, 1, 1)
	require.Zero(t, f.tracker.Len())
}

func TestAge(t *testing.T) {
	f := newFixture(t, wide())
	f.name = "a"
	f.task(1, Mentioned, 1, 1)
	f.task(2, Mentioned, 1, 1)
	f.task(2, Mentioned, 500, 500)
	f.task(3, Ended, 500, 500)

	require.Zero(t, f.age(599))
	require.Equal(t, map[string]int64{" a": 598}, f.levels("oldest", 599))
	require.Equal(t, 3, f.tracker.Len())
	require.Zero(t, f.age(600), "one that has ended is forgotten without a word")
	require.Equal(t, 2, f.tracker.Len())
	require.Equal(t, Evictions{Aged: 1}, f.age(1001))
	require.Equal(t, map[string]int64{" a queued": 1}, f.tasks())
	require.Equal(t, map[string]int64{" a": 1000}, f.levels("oldest", 1001))
	require.Equal(t, Evictions{Aged: 1}, f.age(1500))
	require.Empty(t, f.tasks())
	require.Zero(t, f.tracker.Len())
}

// TestStepsAge checks that a step whose end was lost expires, and that a failed one blocks its task as long as that is
// remembered.
func TestStepsAge(t *testing.T) {
	f := newFixture(t, wide())
	f.name = "a"
	f.task(1, Began, 1, 1)
	f.step(1, 1, Requested, 2, 2)
	f.step(1, 2, Requested, 2, 2)
	f.step(1, 2, Failed, 3, 3)
	require.Equal(t, map[string]int64{" a running": 1}, f.tasks())
	require.Equal(t, map[string]int64{" a": 1}, f.levels("steps", 3))
	f.task(1, Mentioned, 900, 900)
	require.Equal(t, Evictions{Aged: 1}, f.age(1002))
	require.Empty(t, f.levels("steps", 1002))
	require.Equal(t, map[string]int64{" a blocked": 1}, f.tasks())
	f.task(1, Mentioned, 1800, 1800)
	require.Zero(t, f.age(2700))
	require.Equal(t, map[string]int64{" a blocked": 1}, f.tasks())
	f.task(1, Ended, 2700, 2700)
	require.Zero(t, f.age(2800))
	require.Zero(t, f.tracker.Len(), "the steps go with their task")
}

func TestEventsOlderThanTheAgeOpenNothing(t *testing.T) {
	f := newFixture(t, wide())
	f.task(1, Mentioned, 1, 1001)
	require.Zero(t, f.tracker.Len())
}

func TestCrowding(t *testing.T) {
	options := wide()
	options.MaxIDs = 3
	f := newFixture(t, options)
	f.name = "a"
	f.task(1, Mentioned, 1, 1)
	f.task(2, Ended, 1, 2)
	f.task(3, Mentioned, 1, 3)
	f.task(4, Mentioned, 1, 4)
	require.Equal(t, Evictions{Forgotten: 1}, f.age(5), "what has ended gives way first")
	f.task(5, Mentioned, 1, 5)
	require.Equal(t, Evictions{Crowded: 1}, f.age(6))
	require.Equal(t, 3, f.tracker.Len())
	require.Equal(t, map[string]int64{" a queued": 3}, f.tasks())

	f.tracker.options.MaxIDs = 1 // as if more IDs were stored than a new limit allows
	f.task(6, Mentioned, 6, 6)
	require.Equal(t, Evictions{Crowded: 3}, f.age(7))
	require.Equal(t, map[string]int64{" a queued": 1}, f.tasks())
}

func TestCrowdingOfSteps(t *testing.T) {
	options := wide()
	options.MaxIDs = 3
	f := newFixture(t, options)
	f.name = "a"
	f.task(1, Began, 1, 1)
	f.step(1, 1, Requested, 2, 2)
	f.step(1, 2, Failed, 3, 3)
	f.step(1, 3, StepEnded, 4, 4)
	f.step(1, 4, Requested, 5, 5)
	require.Equal(t, Evictions{Forgotten: 1}, f.age(5))
	f.step(1, 5, Failed, 6, 6)
	require.Equal(t, Evictions{Crowded: 1}, f.age(6), "a failed one before one that is executed")
	f.step(1, 1, StepEnded, 7, 7)
	f.step(1, 4, StepEnded, 7, 7)
	require.Equal(t, map[string]int64{" a blocked": 1}, f.tasks())
	f.step(1, 6, StepEnded, 8, 8)
	f.step(1, 7, StepEnded, 8, 8)
	f.step(1, 8, StepEnded, 8, 8)
	require.Equal(t, map[string]int64{" a blocked": 1}, f.tasks())
	f.tracker.options.MaxIDs = 1
	f.step(1, 9, StepEnded, 9, 9)
	require.Equal(t, map[string]int64{" a running": 1}, f.tasks(), "the failed one is forgotten")
	require.Equal(t, 2, f.tracker.Len())
}

func TestStatesHaveNames(t *testing.T) {
	for state := Closed; state < stateCount; state++ {
		require.Equal(t, state == Closed, state.String() == "", fmt.Sprint(uint8(state)))
	}
}
