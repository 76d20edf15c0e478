// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// TestRestartKeepsExemplarsAndIdentity restarts without a crash, and then with other exemplar settings.
func TestRestartKeepsExemplarsAndIdentity(t *testing.T) {
	limit := 5
	w := newWorld(t, func(cfg *Config) { cfg.Exemplars = ExemplarsConfig{Enabled: limit > 0, MaxPerDataPoint: limit} })
	c := w.begin()
	identity := c.converter.InstanceID
	td, spans := shopSpans(lifecycle.ScopeSpans)
	for _, took := range []time.Duration{3, 1, 2} {
		addSpan(spans, lifecycle.SpanTask, took*time.Second, nil)
	}
	require.NoError(t, batch{td: td}.consume(c))
	for _, test := range []struct {
		limit int
		want  []float64
	}{{5, []float64{1, 2, 3}}, {2, []float64{2, 3}}, {0, nil}} {
		limit = test.limit
		w.crash()
		c = w.begin()
		require.Equal(t, identity, c.converter.InstanceID)
		snapshot := c.state.Series.Collect(c.clock.now())
		var exemplars []float64
		for _, metric := range snapshot.Applications[0].Metrics {
			for _, point := range metric.Points {
				for _, exemplar := range point.Value.Exemplars {
					exemplars = append(exemplars, metric.Definition.Scaled(exemplar.Value))
				}
			}
		}
		require.Equal(t, test.want, exemplars)
	}
}

// TestAnotherConfiguration restores what still fits and reports what does not.
func TestAnotherConfiguration(t *testing.T) {
	w := newWorld(t, func(*Config) {})
	require.NoError(t, batch{td: oneTask()}.consume(w.begin()))
	for name, change := range map[string]func(*Config){
		"buckets":     func(cfg *Config) { cfg.Histogram = exponentialOf(20) },
		"temporality": func(cfg *Config) { cfg.AggregationTemporality = "delta" },
		"limit":       func(cfg *Config) { cfg.AggregationCardinalityLimit, cfg.MaxApplications = 2, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			next := newWorld(t, change)
			next.storage = w.storage.Crashed()
			c := next.begin()
			require.NoError(t, batch{td: oneTask()}.consume(c))
			require.NoError(t, c.flush(context.Background()))
			kept := map[string]int64{}
			for series, point := range next.totals(false) {
				kept[series] = point.count
			}
			prefix := " service.name=shop service.namespace=retail tasker.task."
			want := map[string]int64{
				prefix + "executions " + oneTaskLabels: 2, prefix + "duration " + oneTaskLabels: 2,
			}
			switch name {
			case "buckets":
				want[prefix+"duration "+oneTaskLabels] = 1
			case "temporality":
				want[prefix+"executions "+oneTaskLabels], want[prefix+"duration "+oneTaskLabels] = 1, 1
			}
			require.Equal(t, want, kept)
		})
	}
}

// TestOtherLabelsAfterARestart changes the labels of a metric between restarts: a series is identified by its labels in any
// order.
func TestOtherLabelsAfterARestart(t *testing.T) {
	region, channel := Dimension{Name: "region", Key: []string{"r"}}, Dimension{Name: "channel", Key: []string{"c"}}
	zone := Dimension{Name: "zone", Key: []string{"r"}}
	restarts := []struct {
		dimensions []Dimension
		want       map[string]int64
	}{
		{[]Dimension{region}, map[string]int64{"region=eu": 2}},
		{[]Dimension{zone}, map[string]int64{"region=eu": 2, "zone=eu": 2}},
		{[]Dimension{channel, region}, map[string]int64{"region=eu": 3, "zone=eu": 2, "channel=web region=eu": 1}},
		{[]Dimension{region, channel, zone}, map[string]int64{"region=eu": 3, "zone=eu": 2, "channel=web region=eu": 1, "region=eu zone=eu": 1, "channel=web region=eu zone=eu": 1}},
		{nil, map[string]int64{"region=eu": 3, "zone=eu": 2, "channel=web region=eu": 1, "region=eu zone=eu": 1, "channel=web region=eu zone=eu": 1, "": 2}},
		{[]Dimension{region}, map[string]int64{"region=eu": 5, "zone=eu": 2, "channel=web region=eu": 1, "region=eu zone=eu": 1, "channel=web region=eu zone=eu": 1, "": 2}},
	}
	for _, temporality := range []string{cumulative, delta} {
		var dimensions []Dimension
		w := newWorld(t, func(cfg *Config) {
			cfg.AggregationTemporality = temporality
			cfg.Metrics = map[string]MetricConfig{"shop.orders": {Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.placed"}}, Dimensions: dimensions}}
		})
		for i, restart := range restarts {
			dimensions = restart.dimensions
			c := w.begin()
			ld, records := shopLogs()
			addEvent(records, "order.placed", 1, time.Now().Add(time.Duration(i)), map[string]any{"tasker.r": "eu"})
			addEvent(records, "order.placed", 2, time.Now().Add(time.Duration(i)), map[string]any{"tasker.r": "eu", "tasker.c": "web"})
			require.NoError(t, batch{ld: ld}.consume(c))
			if i%2 == 0 {
				require.NoError(t, c.flush(context.Background()))
			}
			w.crash()
			c = w.begin()
			require.NoError(t, c.flush(context.Background()))
			got := map[string]int64{}
			for series, point := range w.totals(false) {
				if _, labels, found := strings.Cut(series, "shop.orders "); found {
					got[labels] += point.count
				}
			}
			require.Equal(t, restart.want, got, "restart %d, %s", i, temporality)
			w.crash()
		}
	}
}

// TestExpiryAfterARefusedFlush restarts long after the last flush was rejected or its response was lost: values that
// receivers have not seen do not expire.
func TestExpiryAfterARefusedFlush(t *testing.T) {
	for name, end := range map[string]func(*world, *instance){
		"refused": func(w *world, c *instance) {
			w.refusing = true
			require.Error(t, c.flush(context.Background()))
		},
		"unanswered": func(_ *world, c *instance) {
			c.state.Series.Collect(c.clock.now())
			require.NoError(t, c.persistence.Load().commit(context.Background()))
		},
		"accepted": func(_ *world, c *instance) { require.NoError(t, c.flush(context.Background())) },
	} {
		w := newWorld(t, func(*Config) {})
		c := w.begin()
		require.NoError(t, batch{td: oneTask()}.consume(c))
		end(w, c)
		require.NoError(t, c.persistence.Load().commit(context.Background()))
		w.crash()
		c = w.begin()
		later := c.clock.now()
		later.Running += (48 * time.Hour).Nanoseconds()
		snapshot := c.state.Series.Collect(later)
		require.Equal(t, name == "accepted", len(snapshot.Applications) == 0, name)
	}
}
