// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

func load(t *testing.T, yaml ...string) *collectorconfig.Config {
	t.Helper()
	uris := make([]string, len(yaml))
	for i, text := range yaml {
		uris[i] = "yaml:" + text
	}
	conf, err := collectorconfig.Load(t.Context(), uris)
	require.NoError(t, err)
	return collectorconfig.New(conf)
}

func TestFormerTypesAndConnectors(t *testing.T) {
	c := load(t, `{processors: {eventrouter/a: {max_value_bytes: 5}, " event_router / b ": }, exporters: {otlp: , debug: }, connectors: {spantometrics: },
		extensions: {zpages: , pprof: },
		service: {extensions: [zpages], pipelines: {traces/x: {receivers: [otlp], processors: ["eventrouter/a"], exporters: [otlp, spantometrics]}}}}`)
	routers := c.OfType(collectorconfig.Processors, "event_router")
	require.Len(t, routers, 2)
	assert.Equal(t, " event_router / b , eventrouter/a", collectorconfig.IDs(routers))
	assert.Equal(t, "otlp_grpc", c.Component(collectorconfig.Exporters, "otlp").Type)
	assert.True(t, c.Has(collectorconfig.Exporters, c.Pipelines[0].Exporters, "span_to_metrics"), "connectors are found in every section")
	assert.Equal(t, "traces", c.Pipelines[0].Signal)
	used := c.Used()
	assert.Equal(t, "connectors::spantometrics, exporters::otlp, extensions::zpages, processors::eventrouter/a", keys(used))
	assert.Equal(t, "5", used[3].Setting("max_value_bytes"))
	assert.Empty(t, used[3].Setting("deduplicate"), "not a scalar")
}

func keys(components []collectorconfig.Component) string {
	text := ""
	for i, p := range components {
		if i > 0 {
			text += ", "
		}
		text += p.Key
	}
	return text
}

func TestMergedInOrder(t *testing.T) {
	t.Setenv("EXPIRY", "7h")
	c := load(t, "{exporters: {prometheus: {metric_expiration: 1h, endpoint: a}}}", "{exporters: {prometheus: {metric_expiration: '${env:EXPIRY}'}}}")
	p := c.Component(collectorconfig.Exporters, "prometheus")
	d, err := p.Duration("metric_expiration", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, 7*time.Hour, d)
	assert.Equal(t, "a", p.Setting("endpoint"))
	d, err = p.Duration("other", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, d)
	_, err = p.Duration("endpoint", 0)
	require.EqualError(t, err, `exporters::prometheus::endpoint: "a" is not a duration; use one such as 24h`)
}

// settings has a string field for a number, as configurations with variables need.
type settings struct {
	Name  string `mapstructure:"name"`
	Count int    `mapstructure:"count"`
}

// Validate implements xconfmap.Validator.
func (s *settings) Validate() error {
	if s.Count < 0 {
		return assert.AnError
	}
	return nil
}

func TestUnmarshal(t *testing.T) {
	t.Setenv("NAME", "0123")
	c := load(t, "{receivers: {one: {name: '${env:NAME}', count: 2}, two: {count: -1}, three: {cuont: 1}, four: }}")
	s := settings{Count: 9}
	require.NoError(t, c.Component(collectorconfig.Receivers, "one").UnmarshalValid(&s))
	assert.Equal(t, settings{"0123", 2}, s, "a text stays as it is written")
	require.ErrorContains(t, c.Component(collectorconfig.Receivers, "two").UnmarshalValid(&s), "receivers::two:\n")
	require.ErrorContains(t, c.Component(collectorconfig.Receivers, "three").Unmarshal(&s), "receivers::three: ")
	s = settings{Count: 9}
	require.NoError(t, c.Component(collectorconfig.Receivers, "four").UnmarshalValid(&s))
	assert.Equal(t, 9, s.Count, "defaults stay")
}

func TestNothing(t *testing.T) {
	c := collectorconfig.New(confmap.New())
	assert.Empty(t, c.Used())
	assert.Empty(t, c.Pipelines)
	assert.Empty(t, c.Component(collectorconfig.Receivers, "otlp").Key)
}
