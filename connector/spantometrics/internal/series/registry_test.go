// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
)

const (
	requests = iota
	duration
	spread
	level
)

func testDefinitions() []Definition {
	return []Definition{
		requests: {Name: "requests", Kind: KindSum, Labels: []string{"name"}},
		duration: {Name: "duration", Kind: KindHistogram, PerUnit: Nanoseconds, Bounds: []int64{10, 100}},
		spread:   {Name: "spread", Kind: KindHistogram, PerUnit: Nanoseconds, Exponential: 160},
		level:    {Name: "level", Kind: KindGauge},
	}
}

func testOptions() Options {
	return Options{MaxSeries: 10, MaxApplications: 3, Total: shares.Size{Items: 1000, Bytes: 1 << 30}, Exemplars: 2, Expiration: 100}
}

// fixture records into a registry at chosen times.
type fixture struct {
	*testing.T
	*Registry
}

func newFixture(t *testing.T, options Options) fixture {
	return fixture{t, NewRegistry(testDefinitions(), options, 1)}
}

// at returns a moment at which both clocks show the same.
func at(now int64) Instant { return Instant{Wall: now, Running: now} }

func (f fixture) Begin(now int64) Writer { return f.Registry.Begin(at(now)) }

func (f fixture) Collect(now int64) Snapshot { return f.Registry.Collect(at(now)) }

func (f fixture) write(now int64, service, label string, record func(w *Writer)) {
	w := f.Begin(now)
	defer w.End()
	w.Application("", service)
	w.Labels().Add("name", label)
	record(&w)
}

func (f fixture) count(now int64, service, label string) {
	f.write(now, service, label, func(w *Writer) { w.Add(requests, 1) })
}

func (f fixture) observe(now int64, label string, values ...int64) {
	f.write(now, "shop", label, func(w *Writer) {
		for _, value := range values {
			observe(w, duration, Exemplar{Value: value, Trace: [16]byte{1}})
			observe(w, spread, Exemplar{Value: value})
		}
	})
}

// points lists a metric's points in a snapshot over all applications.
func points(snapshot Snapshot, metric int) []Point {
	name := testDefinitions()[metric].Name
	var found []Point
	for _, app := range snapshot.Applications {
		for _, m := range app.Metrics {
			if m.Definition.Name == name {
				found = append(found, m.Points...)
			}
		}
	}
	return found
}

// accept collects and accepts a flush.
func (f fixture) accept(now int64) Snapshot {
	snapshot := f.Collect(now)
	f.Accept(&snapshot)
	return snapshot
}

func TestBucketsHoldTheirUpperBound(t *testing.T) {
	f := newFixture(t, testOptions())
	f.observe(5, "a", 0, 10, 11, 100, 101)

	got := points(f.accept(6), duration)
	require.Len(t, got, 1)
	require.Equal(t, []uint64{2, 2, 1}, got[0].Value.Buckets)
	require.Equal(t, uint64(5), got[0].Value.Count)
	require.Equal(t, float64(222), got[0].Value.Total.Float64())
	require.Equal(t, int64(0), got[0].Value.Min)
	require.Equal(t, int64(101), got[0].Value.Max)
	require.Equal(t, []Label{{Name: "name", Value: "a"}}, got[0].Labels)
	require.Equal(t, int64(5), got[0].Started)
}

func TestCumulativeReportsLiveSeriesAgain(t *testing.T) {
	f := newFixture(t, testOptions())
	f.count(5, "shop", "a")
	for _, at := range []int64{10, 20, 30} {
		got := points(f.accept(at), requests)
		require.Len(t, got, 1)
		require.Equal(t, uint64(1), got[0].Value.Count)
		require.Equal(t, int64(5), got[0].Started)
	}
}

func TestSnapshotSharesNothing(t *testing.T) {
	f := newFixture(t, testOptions())
	f.observe(5, "a", 7)
	snapshot := f.accept(6)
	f.observe(7, "a", 7, 50)

	require.Equal(t, []uint64{1, 0, 0}, points(snapshot, duration)[0].Value.Buckets)
	require.Equal(t, uint64(1), points(snapshot, spread)[0].Value.Exponential.Count())
}

func TestLabels(t *testing.T) {
	f := newFixture(t, testOptions())
	w := f.Begin(1)
	w.Application("", "shop")
	for _, labels := range [][2]string{{"a", ""}, {"", "a"}, {"a", "b"}, {"ab", ""}} {
		w.Labels().Add("first", labels[0]).Add("second", labels[1])
		w.Add(requests, 1)
	}
	w.End()

	got := points(f.accept(2), requests)
	require.Len(t, got, 4, "label sets that join to the same text are different series")
	require.Equal(t, []Label{{Name: "first", Value: "a"}}, got[0].Labels)
	require.Equal(t, []Label{{Name: "second", Value: "a"}}, got[1].Labels)
}

func TestApplicationsAreSeparate(t *testing.T) {
	f := newFixture(t, testOptions())
	w := f.Begin(1)
	for _, app := range [][2]string{{"a", "bc"}, {"ab", "c"}} {
		w.Application(app[0], app[1])
		w.Labels()
		w.Add(requests, 1)
	}
	w.End()
	require.Len(t, f.accept(2).Applications, 2)
}

func TestOverflowOfSeries(t *testing.T) {
	f := newFixture(t, testOptions())
	for i := range 25 {
		f.count(5, "shop", strconv.Itoa(i))
	}
	f.count(5, "shop", "0")

	snapshot := f.accept(6)
	got := points(snapshot, requests)
	require.Len(t, got, 10, "nine series and the overflow series")
	require.Equal(t, uint64(2), got[0].Value.Count, "a known series goes on at the limit")
	require.True(t, got[9].Overflow)
	require.Equal(t, uint64(16), got[9].Value.Count)
	require.Equal(t, int64(16), snapshot.Overflowed.ByMetric[requests])
	require.Zero(t, f.accept(7).Overflowed.ByMetric[requests], "reported once")
}

func TestOverflowOfApplications(t *testing.T) {
	f := newFixture(t, testOptions())
	for i := range 5 {
		f.count(5, "service-"+strconv.Itoa(i), "a")
	}
	snapshot := f.accept(6)
	require.Len(t, snapshot.Applications, 4)
	last := snapshot.Applications[3]
	require.True(t, last.Overflow)
	require.Empty(t, last.Service)
	require.Equal(t, uint64(2), last.Metrics[0].Points[0].Value.Count)
}

func TestExpiration(t *testing.T) {
	f := newFixture(t, testOptions())
	f.count(5, "shop", "old")
	f.count(5, "gone", "old")
	f.accept(6)
	f.count(60, "shop", "new")

	require.Len(t, points(f.accept(104), requests), 3)
	snapshot := f.accept(105)
	require.Len(t, points(snapshot, requests), 1)
	require.Len(t, snapshot.Applications, 1, "an application without series goes too")
	require.Equal(t, 1, snapshot.Live)

	f.count(200, "shop", "old")
	again := points(f.accept(201), requests)
	require.Len(t, again, 1, "the other has expired meanwhile")
	require.Equal(t, int64(200), again[0].Started, "a series that comes back starts anew")
	require.Equal(t, uint64(1), again[0].Value.Count)
}

func TestExpirationNever(t *testing.T) {
	options := testOptions()
	options.Expiration = 0
	f := newFixture(t, options)
	f.count(5, "shop", "a")
	f.accept(6)
	require.Len(t, points(f.accept(1_000_000), requests), 1)
}

func TestExpirationWaitsForDelivery(t *testing.T) {
	for _, delta := range []bool{false, true} {
		options := testOptions()
		options.Delta = delta
		f := newFixture(t, options)
		f.count(5, "shop", "a")

		refused := f.Collect(500)
		require.Len(t, points(refused, requests), 1, "never reported, so not expired")
		f.Restore(&refused)
		require.Len(t, points(f.accept(900), requests), 1, "never delivered, so not expired")
		require.Empty(t, points(f.accept(901), requests))
	}
}

func TestGaugeExpiresAtZeroOnly(t *testing.T) {
	f := newFixture(t, testOptions())
	var gauge Gauge
	f.write(5, "shop", "a", func(w *Writer) {
		gauge = w.Gauge(level)
		gauge.Move(2, at(5))
	})
	require.Equal(t, int64(2), points(f.accept(500), level)[0].Value.Level)
	f.write(501, "shop", "a", func(*Writer) { gauge.Move(-2, at(501)) })
	require.Equal(t, int64(0), points(f.accept(502), level)[0].Value.Level)
	require.Empty(t, points(f.accept(601), level))
}

func TestDelta(t *testing.T) {
	options := testOptions()
	options.Delta = true
	f := newFixture(t, options)
	f.observe(5, "a", 7)
	first := points(f.accept(10), duration)
	require.Equal(t, int64(1), first[0].Started, "from when the registry was made")
	require.Empty(t, f.accept(20).Applications, "nothing new")
	f.observe(25, "a", 50)
	f.observe(25, "b", 500)
	second := points(f.accept(30), duration)
	require.Len(t, second, 2)
	require.Equal(t, []uint64{0, 1, 0}, second[0].Value.Buckets)
	require.Equal(t, int64(20), second[0].Started, "from the flush before")
	require.Equal(t, int64(50), second[0].Value.Min)
}

// TestDeltaLosesAndRepeatsNothing rejects flushes at random: the delivered deltas add up to what was recorded.
func TestDeltaLosesAndRepeatsNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	options := testOptions()
	options.Delta = true
	f := newFixture(t, options)
	whole := newFixture(t, testOptions())
	delivered := map[string]*Value{}
	definition := &testDefinitions()[spread]
	started := int64(1)

	for now := int64(2); now < 2000; now++ {
		label := strconv.Itoa(random.IntN(5))
		value := random.Int64N(1_000_000_000)
		f.observe(now, label, value)
		whole.observe(now, label, value)
		if random.IntN(10) > 0 && now < 1999 {
			continue
		}
		snapshot := f.Collect(now)
		if random.IntN(2) == 0 && now < 1999 {
			f.Restore(&snapshot)
			continue
		}
		for _, point := range points(snapshot, spread) {
			require.Equal(t, started, point.Started, "a refused flush's interval joins the next one")
			sum := delivered[point.Labels[0].Value]
			if sum == nil {
				sum = new(Value)
				delivered[point.Labels[0].Value] = sum
			}
			sum.merge(definition, &point.Value, 0)
		}
		f.Accept(&snapshot)
		started = now
	}

	for _, point := range points(whole.accept(2001), spread) {
		sum := delivered[point.Labels[0].Value]
		require.Equal(t, point.Value.Count, sum.Count)
		require.Equal(t, point.Value.Total, sum.Total)
		require.Equal(t, point.Value.Min, sum.Min)
		require.Equal(t, point.Value.Max, sum.Max)
		require.Equal(t, point.Value.Exponential.Count(), sum.Exponential.Count())
	}
}

// TestClockThatIsSetBack checks that no point begins after its end and that deltas do not overlap.
func TestClockThatIsSetBack(t *testing.T) {
	for _, delta := range []bool{false, true} {
		options := testOptions()
		options.Delta, options.Expiration = delta, 0
		f := newFixture(t, options)
		const hour = int64(time.Hour)
		counted, end := uint64(0), int64(1)
		for _, now := range []int64{5 * hour, 5*hour - 1000, 5*hour - 999, 5*hour + 7, 3 * hour, 3*hour + 1} {
			f.count(now+3, "shop", "a") // it held the lock before the flush
			f.count(now+3, "shop", strconv.FormatInt(now, 10))
			snapshot := f.accept(now)
			for _, point := range points(snapshot, requests) {
				require.LessOrEqual(t, point.Started, snapshot.At)
				if !delta {
					continue
				}
				require.Equal(t, min(end, snapshot.At), point.Started)
				counted += point.Value.Count
			}
			if now > 3*hour+1 {
				require.Greater(t, snapshot.At, end)
			}
			end = snapshot.At
		}
		require.Equal(t, 3*hour+1, end, "a clock that is set back by hours is followed")
		if delta {
			require.Equal(t, uint64(12), counted)
		}
	}
}

func TestExemplarsOfARefusedFlush(t *testing.T) {
	for _, delta := range []bool{false, true} {
		options := testOptions()
		options.Delta, options.ExemplarStay = delta, 10
		f := newFixture(t, options)
		f.observe(5, "a", 3, 9, 1, 7)
		refused := f.Collect(6)
		require.Equal(t, []int64{7, 9}, exemplarValues(points(refused, duration)[0]))
		require.Empty(t, exemplarValues(points(refused, spread)[0]), "a value without a trace is no exemplar")
		f.observe(7, "a", 8)
		f.Restore(&refused)
		require.Equal(t, []int64{8, 9}, exemplarValues(points(f.accept(8), duration)[0]))
		require.Equal(t, []int64{7, 9}, exemplarValues(points(refused, duration)[0]), "what was reported stays as it was")
	}
}

// TestSlowOutliersStayUntilTheyAreScraped records and flushes at random times: a value slower than all others of a scrape
// interval remains for the next one, unless slower values fill the exemplars.
func TestSlowOutliersStayUntilTheyAreScraped(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		options := testOptions()
		options.Expiration, options.ExemplarStay = 0, 75
		options.Exemplars = rapid.IntRange(1, 4).Draw(rt, "exemplars")
		f := newFixture(t, options)
		type recorded struct{ at, value int64 }
		values := rapid.Permutation([]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}).Draw(rt, "values")
		var all []recorded
		now := int64(1)
		for _, value := range values {
			now += rapid.Int64Range(0, 40).Draw(rt, "later")
			all = append(all, recorded{now, value})
			f.observe(now, "a", value)
			got := exemplarValues(points(f.accept(now), duration)[0])
			require.IsIncreasing(rt, append([]int64{0}, got...))
			require.Len(rt, got, min(options.Exemplars, len(all)))
			for i, r := range all {
				outlier, slower := now-r.at <= options.ExemplarStay, 0
				for _, before := range all[:i] {
					outlier = outlier && (before.value < r.value || r.at-before.at > options.ExemplarStay)
				}
				for _, since := range all[i+1:] {
					if since.value > r.value {
						slower++
					}
				}
				if outlier && slower < options.Exemplars {
					require.Contains(rt, got, r.value)
				}
			}
		}
	})
}

func exemplarValues(point Point) []int64 {
	var values []int64
	for _, exemplar := range point.Value.Exemplars {
		values = append(values, exemplar.Value)
	}
	return values
}

func TestKnownSeriesAllocateNothing(t *testing.T) {
	f := newFixture(t, testOptions())
	f.observe(5, "name", 7, 50, 500, 5_000_000)
	allocations := testing.AllocsPerRun(100, func() {
		w := f.Begin(6)
		w.Application("", "shop")
		w.Labels().Add("name", "name")
		w.Add(requests, 1)
		observe(&w, duration, Exemplar{Value: 7, Trace: [16]byte{1}})
		observe(&w, spread, Exemplar{Value: 7, Trace: [16]byte{1}})
		w.End()
	})
	require.Zero(t, allocations)
}

// observe adds a value and its exemplar.
func observe(w *Writer, metric int, exemplar Exemplar) {
	if w.Observe(metric, exemplar.Value) {
		w.Exemplify(&exemplar)
	}
}
