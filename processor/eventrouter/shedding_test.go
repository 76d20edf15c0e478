// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

// busy is a next component that holds each request until it is released.
type busy struct {
	entered chan []string
	leave   chan struct{}
}

func (b *busy) consume(_ context.Context, logs plog.Logs) error {
	var names []string
	for _, record := range records(logs) {
		names = append(names, record.EventName())
	}
	b.entered <- names
	<-b.leave
	return nil
}

func TestWhatMattersLeastIsShedFirst(t *testing.T) {
	b := &busy{make(chan []string), make(chan struct{})}
	next, err := consumer.NewLogs(b.consume)
	require.NoError(t, err)
	f := newFixtureTo(t, func(c *Config) {
		for _, priority := range []string{"low", "normal", "high", "critical"} {
			c.Routes = append(c.Routes, routing.Route{Event: priority, Signals: []string{"logs"}, Priority: priority})
		}
		c.Shedding = SheddingConfig{Low: 4, Normal: 7, High: 9}
		c.Deduplicate.Enabled = false
	}, next)
	all := func() plog.Logs {
		return logsOf(t, "shop", item{name: "low"}, item{name: "normal"}, item{name: "high"}, item{name: "critical"})
	}
	answered := make(chan error)
	requests := 0
	send := func() []string {
		requests++
		go func() { answered <- f.ConsumeLogs(context.Background(), all()) }()
		return <-b.entered
	}
	assert.Equal(t, []string{"low", "normal", "high", "critical"}, send(), "nothing is in flight")
	assert.Equal(t, []string{"normal", "high", "critical"}, send(), "4 are")
	assert.Equal(t, []string{"high", "critical"}, send(), "7 are")
	assert.Equal(t, []string{"critical"}, send(), "9 are")
	assert.Equal(t, []string{"critical"}, send(), "10 are")
	metadatatest.AssertEqualProcessorEventRouterInFlightEvents(t, f.tel,
		[]metricdata.DataPoint[int64]{{Value: 11}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, f.ConsumeLogs(context.Background(), logsOf(t, "shop", item{name: "low"})), "all of it is shed")
	for range requests {
		b.leave <- struct{}{}
		require.NoError(t, <-answered, "what was shed is answered as taken")
	}
	go func() { answered <- f.ConsumeLogs(context.Background(), all()) }()
	assert.Len(t, <-b.entered, 4, "calm again")
	b.leave <- struct{}{}
	require.NoError(t, <-answered)

	shed := func(event string, value int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("priority", event))}
	}
	metadatatest.AssertEqualProcessorEventRouterShed(t, f.tel,
		[]metricdata.DataPoint[int64]{shed("low", 5), shed("normal", 3), shed("high", 2)}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorEventRouterDropped(t, f.tel, points("reason", map[string]int64{"shed": 10}),
		metricdatatest.IgnoreTimestamp())
}

func TestNothingIsShedByDefault(t *testing.T) {
	assert.Equal(t, SheddingConfig{}, createDefaultConfig().Shedding)
	s := newShedder(SheddingConfig{})
	s.inFlight.Add(1 << 40)
	assert.Equal(t, [3]bool{}, s.sheds())
}
