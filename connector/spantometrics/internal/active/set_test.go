package active

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
)

// fixture counts ids on a gauge of a registry, as the connector does.
type fixture struct {
	*testing.T
	registry *series.Registry
	set      *Set
	writer   series.Writer
	// name and refuse steer the labeler.
	name   string
	refuse bool
}

func newFixture(t *testing.T, options Options) *fixture {
	definitions := []series.Definition{{Name: "active", Kind: series.KindGauge}}
	return &fixture{
		T:        t,
		registry: series.NewRegistry(definitions, series.Options{MaxSeries: 10, MaxApplications: 10, Total: shares.Size{Items: 1000, Bytes: 1 << 30}}, 0),
		set:      NewSet(options),
	}
}

func (f *fixture) Gauge() (gauge series.Gauge, complete, ok bool) {
	f.writer.Labels().Add("name", f.name)
	return f.writer.Gauge(0), f.name != "", !f.refuse
}

func (f *fixture) locked(now int64, do func()) {
	f.writer = f.registry.Begin(series.Instant{Wall: now, Running: now})
	defer f.writer.End()
	f.writer.Application("", "shop")
	do()
}

func (f *fixture) observe(id byte, change Change, at, now int64) {
	f.locked(now, func() { f.set.Observe(ID{Trace: [16]byte{id}}, change, at, series.Instant{Wall: now, Running: now}, f) })
}

func (f *fixture) age(now int64) (evictions Evictions) {
	f.locked(now, func() { evictions = f.set.Age(series.Instant{Wall: now, Running: now}) })
	return evictions
}

// levels reads the gauge by label.
func (f *fixture) levels() map[string]int64 {
	snapshot := f.registry.Collect(series.Instant{Wall: 1, Running: 1})
	f.registry.Accept(&snapshot)
	levels := map[string]int64{}
	for _, app := range snapshot.Applications {
		for _, point := range app.Metrics[0].Points {
			name := ""
			if len(point.Labels) > 0 {
				name = point.Labels[0].Value
			}
			levels[name] = point.Value.Level
		}
	}
	return levels
}

func wide() Options { return Options{MaxIDs: 100, MaxAge: 1000, Memory: 100} }

// happening is an event at a time.
type happening struct {
	change Change
	at     int64
}

func TestStateFollowsEventTimeInAnyOrder(t *testing.T) {
	tests := []struct {
		name   string
		events []happening
		open   int64
	}{
		{"first event", []happening{{Mentioned, 1}}, 1},
		{"started", []happening{{Mentioned, 1}, {Started, 2}}, 1},
		{"ended, announced twice", []happening{{Started, 2}, {Ended, 5}, {Ended, 6}}, 0},
		{"activity after the end", []happening{{Started, 2}, {Ended, 5}, {Mentioned, 9}}, 0},
		{"a pass after the end", []happening{{Started, 2}, {Ended, 5}, {Started, 9}}, 1},
		{"ended again", []happening{{Started, 2}, {Ended, 5}, {Started, 9}, {Ended, 12}}, 0},
		{"start and end at one time", []happening{{Started, 5}, {Ended, 5}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			permutations(test.events, func(events []happening) {
				f := newFixture(t, wide())
				f.name = "a"
				for i, event := range events {
					f.observe(1, event.change, event.at, int64(20+i))
				}
				require.Equal(t, test.open, f.levels()["a"], "%v", events)
			})
		})
	}
}

func permutations(events []happening, visit func([]happening)) {
	var permute func(int)
	permute = func(fixed int) {
		if fixed == len(events) {
			visit(events)
			return
		}
		for i := fixed; i < len(events); i++ {
			events[fixed], events[i] = events[i], events[fixed]
			permute(fixed + 1)
			events[fixed], events[i] = events[i], events[fixed]
		}
	}
	permute(0)
}

func TestNameLearnedLater(t *testing.T) {
	f := newFixture(t, wide())
	f.observe(1, Mentioned, 1, 1)
	require.Equal(t, map[string]int64{"": 1}, f.levels())
	f.name = "order"
	f.observe(1, Mentioned, 2, 2)
	require.Equal(t, map[string]int64{"": 0, "order": 1}, f.levels())
	f.name = "other"
	f.observe(1, Mentioned, 3, 3)
	require.Equal(t, map[string]int64{"": 0, "order": 1}, f.levels(), "a known name is not asked for again")
	f.observe(1, Ended, 4, 4)
	require.Equal(t, map[string]int64{"": 0, "order": 0}, f.levels())
}

func TestForeignEventsOpenNothing(t *testing.T) {
	f := newFixture(t, wide())
	f.refuse = true
	f.observe(1, Mentioned, 1, 1)
	require.Zero(t, f.set.Len())
}

func TestAge(t *testing.T) {
	f := newFixture(t, wide())
	f.name = "a"
	f.observe(1, Mentioned, 1, 1)
	f.observe(2, Mentioned, 1, 1)
	f.observe(2, Mentioned, 500, 500)
	f.observe(3, Ended, 500, 500)

	require.Zero(t, f.age(599))
	require.Equal(t, 3, f.set.Len())
	require.Zero(t, f.age(600), "an ended id is forgotten without a word")
	require.Equal(t, 2, f.set.Len())
	require.Equal(t, Evictions{Aged: 1}, f.age(1001))
	require.Equal(t, int64(1), f.levels()["a"])
	require.Equal(t, Evictions{Aged: 1}, f.age(1500))
	require.Equal(t, int64(0), f.levels()["a"])
	require.Zero(t, f.set.Len())
}

func TestEventsOlderThanTheAgeOpenNothing(t *testing.T) {
	f := newFixture(t, wide())
	f.observe(1, Mentioned, 1, 1001)
	require.Zero(t, f.set.Len())
}

func TestCrowding(t *testing.T) {
	options := wide()
	options.MaxIDs = 3
	f := newFixture(t, options)
	f.name = "a"
	f.observe(1, Mentioned, 1, 1)
	f.observe(2, Ended, 1, 2)
	f.observe(3, Mentioned, 1, 3)
	f.observe(4, Mentioned, 1, 4)
	require.Equal(t, Evictions{Forgotten: 1}, f.age(5), "what has ended gives way first")
	f.observe(5, Mentioned, 1, 5)
	require.Equal(t, Evictions{Crowded: 1}, f.age(6))
	require.Equal(t, 3, f.set.Len())
	require.Equal(t, int64(3), f.levels()["a"])

	f.set.options.MaxIDs = 1 // as when the stored ids are more than a new limit
	f.observe(6, Mentioned, 6, 6)
	require.Equal(t, Evictions{Crowded: 3}, f.age(7))
	require.Equal(t, int64(1), f.levels()["a"])
}
