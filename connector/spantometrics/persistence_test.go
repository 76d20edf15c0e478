// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/internal/health/healthtest"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func exponentialOf(size int32) HistogramConfig {
	return HistogramConfig{Exponential: configoptional.Some(ExponentialHistogramConfig{MaxSize: size})}
}

// world is what survives a crash of the collector: the storage, and what the receivers of metrics have seen.
type world struct {
	require.TestingT
	storage *journaltest.Storage
	change  func(*Config)
	// writesLeft, if positive, counts down to the write after which the process is dead; image is the storage at that time.
	writesLeft int
	image      *journaltest.Storage
	// sendsDead is true if the process sends the pending flush before it dies.
	sendsDead bool
	refusing  bool
	// cumulative holds the latest point of each series, and deltas all points by series and interval.
	cumulative, deltas map[string]observed
}

// observed holds a point's numbers.
type observed struct {
	start, count int64
	sum          float64
	buckets      string
}

func newWorld(t require.TestingT, change func(*Config)) *world {
	return &world{TestingT: t, storage: journaltest.New(), change: change, cumulative: map[string]observed{}, deltas: map[string]observed{}}
}

var errDead = errors.New("the process is dead")

// begin starts an instance on the storage, without its flush loop.
func (w *world) begin() *instance {
	c := w.process()
	require.NoError(w, c.open(context.Background(), w.storage.Host()))
	return c
}

func (w *world) process() *instance {
	cfg := createDefaultConfig().(*Config)
	cfg.TrustReceived = true
	cfg.StorageID = &journaltest.ID
	w.change(cfg)
	require.NoError(w, cfg.Validate())
	settings := connectortest.NewNopSettings(metadata.Type)
	settings.ID = component.NewID(metadata.Type)
	// A new process has a new ID, unless one is configured.
	settings.Resource.Attributes().PutStr(lifecycle.AttrServiceInstanceID, fmt.Sprintf("00000000-0000-4000-8000-%012d", lastID.Add(1)))
	next, err := consumer.NewMetrics(w.consume)
	require.NoError(w, err)
	in, err := newInstances().acquire(cfg, settings, next)
	require.NoError(w, err)
	return in.instance
}

// crashAfter makes the process die after some more writes.
func (w *world) crashAfter(writes int) {
	w.writesLeft = writes
	storage := w.storage
	storage.AfterBatch(func() {
		if w.writesLeft--; w.writesLeft == 0 {
			w.image = storage.Crashed()
			storage.Fail(errDead)
		}
	})
}

// crash keeps what the storage holds, or held when the process died.
func (w *world) crash() {
	image := w.image
	if image == nil {
		image = w.storage.Crashed()
	}
	w.storage, w.image, w.writesLeft, w.refusing = image, nil, 0, false
}

func (w *world) consume(_ context.Context, md pmetric.Metrics) error {
	switch {
	case w.image != nil && !w.sendsDead:
		return errDead
	case w.refusing:
		return errRefused
	}
	for _, rm := range md.ResourceMetrics().All() {
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			resource := labelText(rm.Resource().Attributes())
			switch metric.Type() {
			case pmetric.MetricTypeGauge:
				for _, dp := range metric.Gauge().DataPoints().All() {
					w.cumulative[resource+" "+metric.Name()+" "+labelText(dp.Attributes())] = observed{count: dp.IntValue()}
				}
			case pmetric.MetricTypeSum:
				for _, dp := range metric.Sum().DataPoints().All() {
					w.see(metric.Sum().AggregationTemporality(), resource+" "+metric.Name()+" "+labelText(dp.Attributes()), dp.Timestamp(),
						observed{start: int64(dp.StartTimestamp()), count: dp.IntValue()})
				}
			case pmetric.MetricTypeHistogram:
				for _, dp := range metric.Histogram().DataPoints().All() {
					w.see(metric.Histogram().AggregationTemporality(), resource+" "+metric.Name()+" "+labelText(dp.Attributes()), dp.Timestamp(),
						observed{int64(dp.StartTimestamp()), int64(dp.Count()), dp.Sum(), fmt.Sprint(dp.BucketCounts().AsRaw(), dp.Min(), dp.Max())})
				}
			case pmetric.MetricTypeExponentialHistogram:
				for _, dp := range metric.ExponentialHistogram().DataPoints().All() {
					w.see(metric.ExponentialHistogram().AggregationTemporality(), resource+" "+metric.Name()+" "+labelText(dp.Attributes()), dp.Timestamp(),
						observed{int64(dp.StartTimestamp()), int64(dp.Count()), dp.Sum(), fmt.Sprint(dp.Scale(), dp.ZeroCount(), dp.Positive().Offset(), dp.Positive().BucketCounts().AsRaw())})
				}
			}
		}
	}
	return nil
}

// see consumes a point as a receiver does: a cumulative series never decreases, and a delta of an interval counts once.
func (w *world) see(temporality pmetric.AggregationTemporality, series string, at pcommon.Timestamp, point observed) {
	if temporality == pmetric.AggregationTemporalityDelta {
		interval := fmt.Sprint(series, " ", point.start, " ", at)
		if before, again := w.deltas[interval]; again {
			require.Equal(w, before, point, "an interval that is sent again is the same: %s", interval)
			return
		}
		w.deltas[interval] = point
		total := w.cumulative[series]
		require.GreaterOrEqual(w, point.start, total.start, "intervals do not overlap: %s", series)
		w.cumulative[series] = observed{int64(at), total.count + point.count, math.Round((total.sum+point.sum)*1e9) / 1e9, ""}
		return
	}
	if before, found := w.cumulative[series]; found {
		require.Equal(w, before.start, point.start, "no reset of %s", series)
		require.GreaterOrEqual(w, point.count, before.count, "no step back of %s", series)
	}
	w.cumulative[series] = point
}

// totals returns the numbers by series, without what differs between two runs.
func (w *world) totals(withBuckets bool) map[string]observed {
	totals := map[string]observed{}
	for series, point := range w.cumulative {
		point.start = 0
		if !withBuckets {
			point.buckets = ""
		}
		if point.count == 0 {
			continue
		}
		_, name, _ := cutInstance(series)
		totals[name] = point
	}
	return totals
}

// cutInstance removes the service.instance.id from a series' text.
func cutInstance(series string) (instance, rest string, found bool) {
	const key = "service.instance.id="
	before, rest, found := strings.Cut(series, key)
	if !found || len(rest) < 36 {
		return "", series, false
	}
	return rest[:36], before + rest[36:], true
}

// batch is a batch of spans or events.
type batch struct {
	td ptrace.Traces
	ld plog.Logs
}

func (b batch) consume(c *instance) error {
	if b.ld != (plog.Logs{}) {
		return logsInput{&input{instance: c}}.ConsumeLogs(context.Background(), b.ld)
	}
	return tracesInput{&input{instance: c}}.ConsumeTraces(finished(context.Background()), b.td)
}

// drawBatch makes a batch of new items.
func drawBatch(t *rapid.T, now time.Time) batch {
	task := rapid.ByteRange(1, 4).Draw(t, "task")
	size := rapid.IntRange(1, 4).Draw(t, "size")
	if rapid.Bool().Draw(t, "spans") {
		td, spans := shopSpans(lifecycle.ScopeSpans)
		for range size {
			addSpan(spans, rapid.SampledFrom([]string{lifecycle.SpanTask, lifecycle.SpanStep, lifecycle.SpanBatch}).Draw(t, "level"),
				time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "took")), map[string]any{
					lifecycle.AttrTaskName: fmt.Sprint("task_", task), lifecycle.AttrStepName: fmt.Sprint("step_", size),
					lifecycle.AttrStatus: rapid.SampledFrom([]string{"success", "failure"}).Draw(t, "status"), lifecycle.AttrBatchSize: size,
				})
		}
		return batch{td: td}
	}
	ld, records := shopLogs()
	for range size {
		name := rapid.SampledFrom([]string{
			lifecycle.WorkflowTaskStarted, lifecycle.TaskCompleted, lifecycle.StepExecutionRequested, lifecycle.StepCompleted,
			lifecycle.DatabaseQueryExecuted,
		}).Draw(t, "event")
		// Times are whole seconds of the near past, so that ties are common.
		at := now.Truncate(time.Second).Add(-time.Duration(rapid.IntRange(0, 10).Draw(t, "ago")) * time.Second)
		addEvent(records, name, task, at, map[string]any{
			lifecycle.AttrTaskName: fmt.Sprint("task_", task), lifecycle.AttrStepID: size, lifecycle.AttrStepName: fmt.Sprint("step_", size),
			lifecycle.AttrDuration: rapid.Float64Range(0, 10).Draw(t, "duration"),
		})
	}
	return batch{ld: ld}
}

// TestNothingIsLostOrCountedTwiceAcrossCrashes sends batches, repeats some, kills the process between any two writes, fails
// the storage and the next consumer, and compares the numbers with those of one undisturbed process.
func TestNothingIsLostOrCountedTwiceAcrossCrashes(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"cumulative":  func(*Config) {},
		"delta":       func(cfg *Config) { cfg.AggregationTemporality = "delta" },
		"exponential": func(cfg *Config) { cfg.Histogram = exponentialOf(20) },
		"overflowing": func(cfg *Config) { cfg.AggregationCardinalityLimit = 2 },
		"crowded":     func(cfg *Config) { cfg.MaxSeries = 14 },
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, change)
				c := w.begin()
				var all []batch
				restart := func() {
					w.crash()
					c = w.begin()
				}
				send := func(b batch) {
					for b.consume(c) != nil {
						if w.image == nil {
							w.storage.Fail(nil)
							continue
						}
						restart()
					}
				}
				for range rapid.IntRange(1, 30).Draw(t, "length") {
					switch rapid.IntRange(0, 9).Draw(t, "action") {
					case 0, 1, 2, 3:
						all = append(all, drawBatch(t, now))
						send(all[len(all)-1])
					case 4:
						if len(all) > 0 {
							send(rapid.SampledFrom(all).Draw(t, "again"))
						}
					case 5, 6:
						w.refusing = rapid.Bool().Draw(t, "refusing")
						_ = c.flush(context.Background())
						w.refusing = false
					case 7:
						w.sendsDead = rapid.Bool().Draw(t, "sendsDead")
						w.crashAfter(rapid.IntRange(1, 4).Draw(t, "writes"))
					case 8:
						w.storage.Fail(errors.New("the disk is full"))
					case 9:
						if rapid.Bool().Draw(t, "dies") {
							restart()
						} else if w.image == nil {
							w.storage.Fail(nil)
							_ = c.persistence.Load().snapshot(context.Background(), c.clock.now())
						}
					}
				}
				if w.image != nil {
					restart()
				}
				w.storage.AfterBatch(nil)
				w.storage.Fail(nil)
				for _, b := range all { // senders that got no response retry
					if rapid.Bool().Draw(t, "again") {
						send(b)
					}
				}
				require.NoError(t, c.flush(context.Background()))

				undisturbed := newWorld(t, change)
				other := undisturbed.begin()
				for _, b := range all {
					require.NoError(t, b.consume(other))
				}
				require.NoError(t, other.flush(context.Background()))
				require.Equal(t, undisturbed.totals(name != "delta"), w.totals(name != "delta"))
			})
		})
	}
}

// TestOverflowingGaugesAreTheSameAfterACrash checks that, without room for the gauge of a task's second state, its age
// stays on the gauge with its labels, which needs no more room after a crash.
func TestOverflowingGaugesAreTheSameAfterACrash(t *testing.T) {
	send := func(c *instance, step int, names ...string) {
		ld, records := shopLogs()
		for _, name := range names {
			addEvent(records, name, 1, time.Now().Truncate(time.Second), map[string]any{lifecycle.AttrTaskName: "task_1", lifecycle.AttrStepID: step})
		}
		require.NoError(t, batch{ld: ld}.consume(c))
	}
	var totals []map[string]observed
	for _, crashes := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.MaxSeries = 14 })
		c := w.begin()
		send(c, 2, lifecycle.StepCompleted, lifecycle.WorkflowTaskStarted)
		if crashes {
			w.crash()
			c = w.begin()
		}
		send(c, 1, lifecycle.StepExecutionRequested)
		require.NoError(t, c.flush(context.Background()))
		totals = append(totals, w.totals(true))
	}
	require.Equal(t, totals[0], totals[1])
}

// TestStoredTotalsAreShownAtOnce checks that series are flushed immediately after a restart.
func TestStoredTotalsAreShownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(*Config) {})
		require.NoError(t, batch{td: oneTask()}.consume(w.begin()))
		w.crash()
		require.Empty(t, w.totals(true))
		c := w.process()
		require.NoError(t, c.start(t.Context(), w.storage.Host()))
		synctest.Wait() // without advancing the clock
		shown := w.totals(true)
		require.NotEmpty(t, shown)
		require.NoError(t, c.stop(t.Context()))
		require.Equal(t, shown, w.totals(true))
	})
}

func TestChooseIdentity(t *testing.T) {
	const random, other = "3f9d1f5e-4a5c-4d0b-9c3b-1d2e3f405162", "7d9d1f5e-4a5c-4d0b-9c3b-1d2e3f405162"
	for _, test := range []struct{ own, stored, want string }{
		{random, "", random}, {random, other, other}, {"", other, other}, {"gateway-0", other, "gateway-0"},
		{"gateway-1", "gateway-0", "gateway-1"}, {random, "gateway-0", "gateway-0"}, {"", "", ""},
	} {
		require.Equal(t, test.want, chooseIdentity(test.own, test.stored), "%+v", test)
	}
}

func TestStorageThatFails(t *testing.T) {
	w := newWorld(t, func(*Config) {})
	c := w.begin()
	full := errors.New("the disk is full")
	w.storage.Fail(full)
	b := batch{td: oneTask()}
	require.ErrorIs(t, b.consume(c), full)
	require.ErrorIs(t, b.consume(c), full, "a repeated batch is not acknowledged before it is stored")
	require.ErrorIs(t, c.flush(context.Background()), full, "what a crash could undo is not sent")
	require.Empty(t, w.cumulative)
	w.storage.Fail(nil)
	require.NoError(t, b.consume(c))
	require.NoError(t, c.flush(context.Background()))
	require.Len(t, w.cumulative, 2)
}

func TestWhatFailsShowsInTheHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage, s := journaltest.New(), &sink{}
		cfg := createDefaultConfig().(*Config)
		cfg.StorageID = &journaltest.ID
		in, err := newInstances().acquire(cfg, connectortest.NewNopSettings(metadata.Type), s)
		require.NoError(t, err)
		host := &healthtest.Host{Host: storage.Host()}
		require.NoError(t, in.Start(t.Context(), host))
		b := batch{td: oneTask()}

		s.refusing.Store(true)
		require.NoError(t, b.consume(in.instance))
		<-time.After(2 * cfg.MetricsFlushInterval)
		storage.Fail(errors.New("the disk is full"))
		b = batch{td: oneTask()}
		require.Error(t, b.consume(in.instance))
		storage.Fail(nil)
		s.refusing.Store(false)
		<-time.After(2 * cfg.MetricsFlushInterval)
		const refuses, full = "the next component rejects metrics: refused", "the state can't be written to the storage: the disk is full"
		require.Equal(t, []string{refuses, refuses + "\n" + full, refuses, "ok"}, host.Reported())
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestUnknownStorageStopsTheStart(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.StorageID = &journaltest.ID
	c, err := NewFactory().CreateTracesToMetrics(t.Context(), connectortest.NewNopSettings(metadata.Type), cfg, new(sink))
	require.NoError(t, err)
	require.ErrorContains(t, c.Start(t.Context(), componenttest.NewNopHost()), `storage: "memory_storage" is not an extension`)
	require.NoError(t, c.Shutdown(t.Context()))
}

// FuzzReplay reads arbitrary entries.
func FuzzReplay(f *testing.F) {
	w := newWorld(f, func(cfg *Config) { cfg.Histogram = exponentialOf(20) })
	c := w.begin()
	c.state.SetLog(records.New(func(entry []byte) { f.Add(append([]byte(nil), entry...)) }))
	require.NoError(f, batch{td: oneTask()}.consume(c))
	ld, list := shopLogs()
	addEvent(list, lifecycle.StepExecutionRequested, 1, time.Now(), map[string]any{lifecycle.AttrStepID: 1})
	require.NoError(f, batch{ld: ld}.consume(c))
	require.NoError(f, c.flush(context.Background()))
	f.Fuzz(func(t *testing.T, entry []byte) {
		cfg := createDefaultConfig().(*Config)
		cfg.Histogram = exponentialOf(20)
		cfg.AggregationTemporality = "delta"
		cfg.MaxSeries = 10
		c, err := newInstance(cfg, connectortest.NewNopSettings(metadata.Type), new(sink))
		require.NoError(t, err)
		defer c.telemetry.close()
		p := c.state.Replay()
		_ = records.Read(entry, p)
		_ = records.Read(entry, p)
		p.End()
		_ = c.flush(t.Context())
	})
}

// TestConcurrentUse runs batches, flushes and snapshots concurrently, kills the process and checks every acknowledged
// batch.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, func(*Config) {})
	c := w.begin()
	const senders, batches = 4, 50
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for range batches {
				assert.NoError(t, batch{td: oneTask()}.consume(c))
			}
		})
	}
	sending.Go(func() {
		for range 20 {
			assert.NoError(t, c.flush(context.Background()))
			c.flushing.Lock()
			assert.NoError(t, c.persistence.Load().snapshot(context.Background(), c.clock.now()))
			c.flushing.Unlock()
		}
	})
	sending.Wait()
	w.crash()
	c = w.begin()
	require.NoError(t, c.flush(context.Background()))
	require.Equal(t, int64(senders*batches), w.totals(false)[" service.name=shop service.namespace=retail tasker.task.executions "+oneTaskLabels].count)
}

// TestSnapshotsBoundTheStorage writes far more than the size of the state, in small flushes.
func TestSnapshotsBoundTheStorage(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Deduplicate.MaxEntries = 1000 })
	c := w.begin()
	td := stepSpans(1000)
	for range 500 {
		renewSpans(td)
		require.NoError(t, batch{td: td}.consume(c))
		require.NoError(t, c.flush(context.Background()))
		require.Less(t, c.persistence.Load().journal.Stats().Bytes, int64(snapshotAfter+1<<20))
	}
	require.Greater(t, c.state.Series.Written(), int64(2*snapshotAfter), "so there were snapshots")
}

// BenchmarkRecordKept is BenchmarkRecordSpan with a storage in memory.
func BenchmarkRecordKept(b *testing.B) {
	w := newWorld(b, func(*Config) {})
	c := w.begin()
	td := stepSpans(1000)
	b.ReportAllocs()
	b.ResetTimer()
	defer reportCPU(b)()
	for i := 0; i < b.N; i += 1000 {
		renewSpans(td)
		require.NoError(b, batch{td: td}.consume(c))
	}
	b.ReportMetric(float64(c.state.Series.Written())/float64(b.N), "stored_B/op")
}

// BenchmarkSnapshot reports the cost of a snapshot of 10,000 series, half of them histograms, and BenchmarkRestart that of
// restoring it.
func BenchmarkSnapshot(b *testing.B) {
	_, c := manySeries(b)
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, c.persistence.Load().snapshot(context.Background(), c.clock.now()))
	}
	b.ReportMetric(float64(c.persistence.Load().snapshotBytes)/10_000, "B/series")
}

func BenchmarkRestart(b *testing.B) {
	w, _ := manySeries(b)
	b.ReportAllocs()
	for b.Loop() {
		w.begin()
	}
}

func manySeries(b *testing.B) (*world, *instance) {
	w := newWorld(b, func(cfg *Config) { cfg.AggregationCardinalityLimit, cfg.MaxSeriesBytes = 10_000, 1<<30 })
	c := w.begin()
	td, spans := shopSpans(lifecycle.ScopeSpans)
	for i := range 5000 {
		addSpan(spans, lifecycle.SpanTask, time.Duration(i)*time.Millisecond, map[string]any{
			lifecycle.AttrTaskName: fmt.Sprint("task ", i), lifecycle.AttrStatus: "success",
		})
	}
	require.NoError(b, batch{td: td}.consume(c))
	require.NoError(b, c.persistence.Load().snapshot(context.Background(), c.clock.now()))
	return w, c
}
