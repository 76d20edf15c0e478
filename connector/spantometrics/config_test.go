// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

func load(t *testing.T, id string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := all.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, cfg.Validate())
	return cfg
}

// durations returns the definition of a histogram of durations.
func durations(cfg *Config) series.Definition {
	m := declaration.Metric{MetricConfig: MetricConfig{Type: declaration.TypeHistogram, Value: []string{declaration.ValueDuration}}}
	return m.Definition(&cfg.Config)
}

func TestDefaultConfig(t *testing.T) {
	cfg := load(t, "span_to_metrics")
	require.Equal(t, createDefaultConfig(), component.Config(cfg))
	require.Len(t, durations(cfg).Bounds, 19)
	require.Zero(t, durations(cfg).Exponential)
	require.Equal(t, cumulative, cfg.temporality())
}

func TestFullConfig(t *testing.T) {
	unknown := "unknown"
	cfg := load(t, "span_to_metrics/full")
	require.Equal(t, []int64{1e8, 1e9, 1e10}, durations(cfg).Bounds)
	require.Equal(t, delta, cfg.temporality())
	require.False(t, cfg.Exemplars.Enabled)
	require.Equal(t, time.Minute, cfg.MetricsFlushInterval)
	require.Zero(t, cfg.SeriesExpiration)
	require.Equal(t, 50, cfg.AggregationCardinalityLimit)
	require.Equal(t, 2, cfg.MaxApplications)
	require.Equal(t, []Dimension{
		{Name: "tasker.queue_name"}, {Name: "deployment.environment.name", Default: &unknown}, {Name: "tasker.job_id"},
	}, cfg.Dimensions)
	require.False(t, cfg.FoldNumberedSteps)
	require.True(t, cfg.EventSpans)
	require.Equal(t, 5000, cfg.Deduplicate.MaxEntries)
	require.Equal(t, 720*time.Hour, cfg.MaxEventAge)
	require.Equal(t, "file_storage/metrics", cfg.StorageID.String())
	require.Equal(t, time.Hour, cfg.ActiveMaxAge)
	require.Equal(t, 10, cfg.ActiveMaxIDs)
}

func TestDeclaredConfig(t *testing.T) {
	cfg := load(t, "span_to_metrics/declared")
	declared := declaration.Metrics(&cfg.Config)
	all := declaration.Definitions(&cfg.Config, declared)
	require.Len(t, all, len(declaration.BuiltIn())+1)
	own := all[len(all)-1]
	require.Equal(t, "shop.order.amount", own.Name)
	require.Equal(t, []int64{10e6, 100e6, 1000e6}, own.Bounds)
	queries := declared[slices.IndexFunc(declared, func(d declaration.Metric) bool { return d.Name == "tasker.sql.queries" })]
	require.False(t, queries.IsEnabled())
}

// TestDocumentedConfigs loads every example configuration of the connector in its README and in docs/own-metrics.md.
func TestDocumentedConfigs(t *testing.T) {
	for _, page := range []string{"README.md", "../../docs/own-metrics.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		examples := 0
		for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(block))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			section, err := conf.Sub("connectors::span_to_metrics")
			require.NoError(t, err)
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, section.Unmarshal(cfg), block)
			require.NoError(t, cfg.Validate(), block)
			examples++
		}
		require.Greater(t, examples, 1, page)
	}
}

func TestExponentialConfig(t *testing.T) {
	require.Equal(t, int32(20), durations(load(t, "span_to_metrics/exponential")).Exponential)
	require.Equal(t, int32(160), durations(load(t, "span_to_metrics/exponential_default")).Exponential)
}

func TestWarnings(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.Empty(t, declaration.Warnings(&cfg.Config))
	cfg.Metrics = map[string]MetricConfig{
		"shop.orders": {SourceConfig: SourceConfig{Event: []string{"order.placed", "step.*", "step.completed"}}},
		"shop.steps":  {Sources: []SourceConfig{{Span: "step"}, {Event: []string{"step.complete", "steps.*"}}}},
	}
	warnings := declaration.Warnings(&cfg.Config)
	require.Len(t, warnings, 2)
	require.Contains(t, warnings[0], `metrics::shop.steps: "step.complete" is not an event of Tasker; did you mean "step.completed"?`)
	require.Contains(t, warnings[1], `"steps.*"`)

	logs, seen := observer.New(zap.WarnLevel)
	settings := connectortest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(logs)
	c, err := newInstance(cfg, settings, new(sink))
	require.NoError(t, err)
	require.NoError(t, c.start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, c.stop(t.Context()))
	for i, entry := range seen.All() {
		require.Equal(t, warnings[i], entry.Message)
	}
	require.Equal(t, len(warnings), seen.Len(), "said at the start, each once")
}

func TestValidate(t *testing.T) {
	explicit := func(buckets ...time.Duration) func(*Config) {
		return func(cfg *Config) {
			cfg.Histogram.Explicit = configoptional.Some(ExplicitHistogramConfig{Buckets: buckets})
		}
	}
	dimension := func(names ...string) func(*Config) {
		return func(cfg *Config) {
			for _, name := range names {
				cfg.Dimensions = append(cfg.Dimensions, Dimension{Name: name})
			}
		}
	}
	metric := func(name string, m MetricConfig) func(*Config) {
		return func(cfg *Config) { cfg.Metrics = map[string]MetricConfig{name: m} }
	}
	counter := MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"order.placed"}}}
	tests := []struct {
		name   string
		change func(*Config)
		// wants are substrings of the error; none means that the config is valid.
		wants []string
	}{
		{"default", func(*Config) {}, nil},
		{"long temporality", func(cfg *Config) { cfg.AggregationTemporality = "AGGREGATION_TEMPORALITY_DELTA" }, nil},
		{"short temporality", func(cfg *Config) { cfg.AggregationTemporality = "cumulative" }, nil},
		{"wrong temporality", func(cfg *Config) { cfg.AggregationTemporality = "sometimes" },
			[]string{`aggregation_temporality: "sometimes" is not known; use "cumulative", "delta",`}},
		{"no temporality", func(cfg *Config) { cfg.AggregationTemporality = "" }, []string{`aggregation_temporality: "" is not known`}},
		{"bounds", explicit(time.Second, time.Minute), nil},
		{"no bounds", explicit(), []string{`histogram::explicit::buckets: is empty; use one bound or more`}},
		{"bounds out of order", explicit(time.Minute, time.Second, time.Second),
			[]string{`histogram::explicit::buckets[1]: 1s follows 1m0s; sort the bounds`, `buckets[2]: 1s follows 1s`}},
		{"bound of zero", explicit(0, time.Second), []string{`histogram::explicit::buckets[0]: 0s is not above zero`}},
		{"both forms", func(cfg *Config) {
			explicit(time.Second)(cfg)
			cfg.Histogram.Exponential = configoptional.Some(ExponentialHistogramConfig{MaxSize: 20})
		}, []string{`has both explicit and exponential; keep one`}},
		{"exponential too small", func(cfg *Config) {
			cfg.Histogram.Exponential = configoptional.Some(ExponentialHistogramConfig{MaxSize: 4})
		}, []string{`histogram::exponential::max_size: 4 is out of range; use 5 to 16384`}},
		{"no exemplars", func(cfg *Config) { cfg.Exemplars = ExemplarsConfig{} }, nil},
		{"exemplars without room", func(cfg *Config) { cfg.Exemplars.MaxPerDataPoint = 0 },
			[]string{`exemplars::max_per_data_point: 0 is too small; use 1 or more, or exemplars::enabled: false`}},
		{"no interval", func(cfg *Config) { cfg.MetricsFlushInterval = 0 }, []string{`metrics_flush_interval: 0s is not above zero; use more, such as 15s`}},
		{"numbers without a unit", func(cfg *Config) {
			cfg.MetricsFlushInterval, cfg.SeriesExpiration, cfg.MaxEventAge, cfg.ActiveMaxAge = 15, 3600, 86400, 3600
			explicit(100, 1000, 10000)(cfg)
		}, []string{`metrics_flush_interval: 15ns is in nanoseconds, as a number without a unit is; write the unit, such as 15s`,
			`series_expiration: 3.6µs is in`, `max_event_age: 86.4µs is in`, `active_max_age: 3.6µs is in`, `histogram::explicit::buckets[2]: 10µs is in`}},
		{"negative expiration", func(cfg *Config) { cfg.SeriesExpiration = -time.Second }, []string{`series_expiration: -1s is negative; use a duration such as 24h, or 0s to keep series for ever`}},
		{"expiration within a flush", func(cfg *Config) { cfg.SeriesExpiration = 10 * time.Second },
			[]string{`series_expiration: 10s is not more than metrics_flush_interval (15s), so that a cumulative series would begin anew`}},
		{"expiration of deltas within a flush", func(cfg *Config) {
			cfg.SeriesExpiration, cfg.AggregationTemporality = 10*time.Second, "delta"
		}, nil},
		{"expiration never", func(cfg *Config) { cfg.SeriesExpiration = 0 }, nil},
		{"no limit", func(cfg *Config) { cfg.AggregationCardinalityLimit = 0 },
			[]string{`aggregation_cardinality_limit: 0 is too small; use 2 or more`}},
		{"labels of the age", metric("tasker.tasks.oldest_active_age", MetricConfig{Dimensions: []Dimension{{Name: "region"}}}),
			[]string{`metrics::tasker.tasks.oldest_active_age::dimensions: is set, but the metric uses the labels of tasker.tasks.active; add them there`}},
		{"no applications", func(cfg *Config) { cfg.MaxApplications = 0 }, []string{`max_applications: 0 is too small`}},
		{"no series", func(cfg *Config) { cfg.MaxSeries, cfg.MaxSeriesBytes = 0, 1000 }, []string{`max_series: 0 is too small; use 10 or more`, `max_series_bytes: 1000 is too small; use 1048576 or more`}},
		{"no memory of spans", func(cfg *Config) { cfg.Deduplicate.MaxEntries = 0 },
			[]string{`deduplicate::max_entries: 0 is too small; use 1000 or more`}},
		{"negative event age", func(cfg *Config) { cfg.MaxEventAge = -time.Hour }, []string{`max_event_age: -1h0m0s is negative; use a duration such as 24h, or 0s`}},
		{"no age", func(cfg *Config) { cfg.ActiveMaxAge = 0 }, []string{`active_max_age: 0s is not above zero`}},
		{"no ids", func(cfg *Config) { cfg.ActiveMaxIDs = -1 }, []string{`active_max_ids: -1 is too small`}},
		{"dimensions", dimension("tasker.queue_name", "tenant_id"), nil},
		{"dimension without a name", dimension(""), []string{`dimensions[0]::name: "" is not a label`}},
		{"dimension twice", dimension("a.b", "a_b"),
			[]string{`dimensions[1]::name: "a_b" has the same Prometheus name as dimensions[0] (a.b); use another name`}},
		{"built-in dimension", dimension("task.name"), []string{"the built-in label task_name"}},
		{"ids", dimension("tasker.task_id", "step_id", "trace_id"),
			[]string{`"tasker.task_id"`, `"step_id"`, `"trace_id"`, `allow_unbounded`, "exemplars"}},
		{"id that the operator insists on", func(cfg *Config) {
			dimension("tasker.task_id")(cfg)
			cfg.AllowUnbounded = []string{"tasker.task_id"}
		}, nil},
		{"own metric", metric("shop.orders", counter), nil},
		{"own metric with everything", metric("shop.order.amount", MetricConfig{
			Type: "histogram", Value: []string{"amount", "total"}, Scale: 0.01, Unit: "{EUR}", Dimensions: []Dimension{{Name: "currency"}},
			Histogram:    MetricHistogramConfig{Explicit: configoptional.Some(MetricBucketsConfig{Buckets: []float64{0, 0.5, 10}})},
			SourceConfig: SourceConfig{Conditions: []ConditionConfig{{Key: "currency", In: []string{"EUR"}}}},
			Sources:      []SourceConfig{{Event: []string{"order.*"}}, {Span: "step", Conditions: []ConditionConfig{{Key: "amount", Min: pointerTo(1.0)}}}},
		}), nil},
		{"own name", metric("shop orders", counter), []string{`metrics::shop orders: is not a valid metric name`, "shop.order.amount"}},
		{"own name with a suffix", metric("shop.orders.total", counter), []string{`ends with .total`, "leave it out"}},
		{"own name of a built-in metric", metric("tasker.task_executions", counter),
			[]string{`metrics::tasker.task_executions: is tasker_task_executions_total at Prometheus, as is tasker.task.executions; use another name`}},
		{"own name of tasker-core", metric("tasker.steps.enqueued", counter), []string{"tasker_steps_enqueued_total", "tasker-core emits"}},
		{"own name of a histogram's part", metric("tasker.batch.size.sum", MetricConfig{Type: "gauge", Value: []string{"amount"}, SourceConfig: SourceConfig{Event: []string{"order.placed"}}}),
			[]string{"tasker_batch_size_sum at Prometheus, as is tasker.batch.size"}},
		{"own metrics alike", func(cfg *Config) {
			cfg.Metrics = map[string]MetricConfig{"shop.a_b": counter, "shop.a.b": counter}
		}, []string{`metrics::shop.a_b: is shop_a_b_total at Prometheus, as is shop.a.b`}},
		{"own type", metric("shop.orders", MetricConfig{Type: "summary", SourceConfig: SourceConfig{Event: []string{"order.placed"}}}),
			[]string{`metrics::shop.orders::type: "summary" is not known; use counter, gauge or histogram`}},
		{"nothing to measure", metric("shop.orders", MetricConfig{Type: "gauge"}),
			[]string{`metrics::shop.orders::value: is missing`, "names nothing to measure"}},
		{"both to measure", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"a"}, Span: "step"}}), []string{`more than one of event, span and detected`}},
		{"prefixed event", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"tasker.order.placed"}}}), []string{`write it without tasker.`}},
		{"sources beside a source", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Span: "step"}, Sources: []SourceConfig{
			{Event: []string{"tasker.a"}}, {Conditions: []ConditionConfig{{Key: "k"}}},
		}}), []string{`metrics::shop.orders::sources: is set, and event, span or detected beside it`, `sources[0]: "tasker.a" never occurs`,
			`sources[1]: names nothing to measure`, `sources[1]::conditions[0]: does not restrict`}},
		{"duration beside a key", metric("shop.orders", MetricConfig{Type: "histogram", Value: []string{"duration", "took"}, Scale: 2, SourceConfig: SourceConfig{Span: "step"}}),
			[]string{`::value: lists duration beside keys`, `::scale: 2 is set, but durations are in seconds`}},
		{"scale of nothing", metric("shop.orders", MetricConfig{Type: "counter", Scale: 2, SourceConfig: SourceConfig{Span: "step"}}),
			[]string{`::scale: 2 is set, but there is no value`}},
		{"scale below zero", metric("shop.orders", MetricConfig{Type: "counter", Value: []string{"v"}, Scale: -1, SourceConfig: SourceConfig{Span: "step"}}),
			[]string{`::scale: -1 is not a number above zero`}},
		{"own gauge of what is open", metric("shop.orders", MetricConfig{Type: "active", SourceConfig: SourceConfig{Span: "task"}}),
			[]string{`::type: "active" is for built-in metrics only`}},
		{"conditions of what is open", metric("tasker.tasks.active", MetricConfig{SourceConfig: SourceConfig{Conditions: []ConditionConfig{{Key: "k", Min: pointerTo(1.0)}}}}),
			[]string{`metrics::tasker.tasks.active::conditions: is set`}},
		{"conditions of a built-in metric", metric("tasker.events", MetricConfig{SourceConfig: SourceConfig{Conditions: []ConditionConfig{{}}}}),
			[]string{`metrics::tasker.events::conditions[0]::key: "" is not a key`}},
		{"duration of an event", metric("shop.orders", MetricConfig{Type: "histogram", Value: []string{"duration"}, SourceConfig: SourceConfig{Event: []string{"a"}}}),
			[]string{`metrics::shop.orders::value: "duration" does not exist for an event`}},
		{"duration in another unit", metric("shop.orders", MetricConfig{Type: "histogram", Value: []string{"duration"}, Unit: "ms", SourceConfig: SourceConfig{Span: "step"}}),
			[]string{`metrics::shop.orders::unit: "ms" is not the unit of durations`}},
		{"unknown level", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Span: "job"}}), []string{`metrics::shop.orders::span: "job" is not known; use one of backoff, batch`}},
		{"own id", metric("shop.orders", MetricConfig{Type: "counter", Dimensions: []Dimension{{Name: "who", Key: []string{"task_id"}}}, SourceConfig: SourceConfig{Event: []string{"a"}}}),
			[]string{`metrics::shop.orders::dimensions[0]::name: "task_id" has a new value`, `allow_unbounded`}},
		{"reserved label", metric("shop.orders", MetricConfig{Type: "counter", Dimensions: []Dimension{{Name: "le"}, {Name: "1st"}}, SourceConfig: SourceConfig{Event: []string{"a"}}}),
			[]string{"a histogram's buckets", `"1st" is not a valid Prometheus label`}},
		{"labels that Prometheus has", dimension("job", "instance", "otel.scope.name", "otel_scope_version", "otel.metric.overflow", "_"),
			[]string{`"job" has the same Prometheus name as the label made from service.name; use another name`, `"instance"`,
				`"otel.scope.name"`, `"otel_scope_version"`, `"otel.metric.overflow"`, `"_" is not a valid Prometheus label`}},
		{"names with spaces", metric("shop.orders", MetricConfig{Type: "counter", Sources: []SourceConfig{{Event: []string{"order.placed", " order.paid"}}, {Event: []string{""}}}}),
			[]string{`sources[0]: " order.paid" is not a name of an event; use a name without spaces`, `sources[1]: "" is not a name`}},
		{"nothing that is detected", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Detected: []string{"performance.slow", "*.slow_*"}}}),
			[]string{`metrics::shop.orders::detected: "performance.slow" is not detected by span_hierarchy; use one of performance.slow_operation`}},
		{"misspelt built-in metric", metric("tasker.step.durations", MetricConfig{Enabled: new(bool)}),
			[]string{`metrics::tasker.step.durations::type: is missing`, "tasker.step.duration,"}},
		{"label from another key", func(cfg *Config) {
			cfg.ExcludeDimensions = []string{"task_name"}
			metric("tasker.step.duration", MetricConfig{ExcludeDimensions: []string{"step_name"}, Dimensions: []Dimension{
				{Name: "task_name", Key: []string{"workflow"}}, {Name: "step_name", Key: []string{"template"}},
			}})(cfg)
		}, nil},
		{"bounds too fine", metric("shop.orders", MetricConfig{Type: "histogram", Value: []string{"v"}, Histogram: MetricHistogramConfig{
			Explicit: configoptional.Some(MetricBucketsConfig{Buckets: []float64{1e-7, 1e-6, 1.1e-6}}),
		}, SourceConfig: SourceConfig{Event: []string{"a"}}}), []string{`buckets[0]: 1e-07 is not a multiple of the resolution, 1e-06`, `buckets[2]: 1.1e-06 is not a multiple`}},
		{"own exclusion", metric("shop.orders", MetricConfig{Type: "counter", ExcludeDimensions: []string{"x"}, SourceConfig: SourceConfig{Event: []string{"a"}}}), []string{"exclude_dimensions", "leave them out there"}},
		{"conditions", metric("shop.orders", MetricConfig{Type: "counter", SourceConfig: SourceConfig{Event: []string{"a"}, Conditions: []ConditionConfig{
			{}, {Key: "k", Exists: new(bool), In: []string{"x"}}, {Key: "k", Min: pointerTo(2.0), Max: pointerTo(1.0)},
		}}}), []string{`conditions[0]::key: "" is not a key`, `conditions[0]: does not restrict`, `conditions[1]::exists: false never holds`, `conditions[2]::min: 2 is more than max (1)`}},
		{"own buckets", metric("shop.orders", MetricConfig{Type: "histogram", Value: []string{"v"}, Histogram: MetricHistogramConfig{
			Explicit:    configoptional.Some(MetricBucketsConfig{Buckets: []float64{-1, 5, 5}}),
			Exponential: configoptional.Some(ExponentialHistogramConfig{MaxSize: 1}),
		}, SourceConfig: SourceConfig{Event: []string{"a"}}}), []string{"buckets[0]: -1 is out of range", "buckets[2]: 5 follows 5", "max_size: 1 is out of range", `has both explicit and exponential; keep one`}},
		{"buckets of a counter", metric("shop.orders", MetricConfig{Type: "counter", Histogram: MetricHistogramConfig{
			Explicit: configoptional.Some(MetricBucketsConfig{Buckets: []float64{1}}),
		}, SourceConfig: SourceConfig{Event: []string{"a"}}}), []string{`metrics::shop.orders::histogram: is set, but the type is "counter"`}},
		{"built-in metric", metric("tasker.step.duration", MetricConfig{Enabled: new(bool), ExcludeDimensions: []string{"step_name"}, Dimensions: []Dimension{{Name: "region"}}}), nil},
		{"built-in metric redefined", metric("tasker.step.duration", MetricConfig{Type: "counter", Unit: "s", ExcludeDimensions: []string{"region"}}),
			[]string{`metrics::tasker.step.duration::type: is set, but the metric is built in`, "::unit",
				`exclude_dimensions[0]: "region" is not a label of the metric; use one of task_name, step_name, status`}},
		{"buckets of a built-in counter", metric("tasker.events", MetricConfig{Histogram: MetricHistogramConfig{
			Exponential: configoptional.Some(ExponentialHistogramConfig{MaxSize: 20}),
		}}), []string{"metrics::tasker.events::histogram: is set, but the metric is not a histogram"}},
		{"excluded label", func(cfg *Config) { cfg.ExcludeDimensions = []string{"status", "region"} },
			[]string{`exclude_dimensions[1]: "region" is not a label of a built-in metric`}},
		{"several mistakes", func(cfg *Config) {
			cfg.MetricsFlushInterval = -1
			cfg.MaxApplications = 0
			dimension("job_id")(cfg)
		}, []string{"metrics_flush_interval", "max_applications", "job_id"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			test.change(cfg)
			err := cfg.Validate()
			if test.wants == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, want := range test.wants {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
