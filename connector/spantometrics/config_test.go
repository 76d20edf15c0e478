package spantometrics

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap/confmaptest"
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

func TestDefaultConfig(t *testing.T) {
	cfg := load(t, "span_to_metrics")
	require.Equal(t, createDefaultConfig(), component.Config(cfg))
	require.Len(t, cfg.durationBounds(), 19)
	require.Zero(t, cfg.exponentialSize())
	require.Equal(t, cumulative, cfg.temporality())
}

func TestFullConfig(t *testing.T) {
	unknown := "unknown"
	cfg := load(t, "span_to_metrics/full")
	require.Equal(t, []int64{1e8, 1e9, 1e10}, cfg.durationBounds())
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

func TestExponentialConfig(t *testing.T) {
	require.Equal(t, int32(20), load(t, "span_to_metrics/exponential").exponentialSize())
	require.Equal(t, int32(160), load(t, "span_to_metrics/exponential_default").exponentialSize())
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
	tests := []struct {
		name   string
		change func(*Config)
		// wants are parts of the message; none means that the config is right.
		wants []string
	}{
		{"default", func(*Config) {}, nil},
		{"long temporality", func(cfg *Config) { cfg.AggregationTemporality = "AGGREGATION_TEMPORALITY_DELTA" }, nil},
		{"short temporality", func(cfg *Config) { cfg.AggregationTemporality = "cumulative" }, nil},
		{"wrong temporality", func(cfg *Config) { cfg.AggregationTemporality = "sometimes" },
			[]string{`"aggregation_temporality" is "sometimes"`, `"delta"`}},
		{"no temporality", func(cfg *Config) { cfg.AggregationTemporality = "" }, []string{`"aggregation_temporality" is ""`}},
		{"bounds", explicit(time.Second, time.Minute), nil},
		{"no bounds", explicit(), []string{`"histogram::explicit::buckets" is empty`}},
		{"bounds out of order", explicit(time.Minute, time.Second, time.Second),
			[]string{`"histogram::explicit::buckets[1]" is 1s and follows 1m0s`, `buckets[2]" is 1s and follows 1s`}},
		{"bound of zero", explicit(0, time.Second), []string{`"histogram::explicit::buckets[0]" is 0s`}},
		{"both forms", func(cfg *Config) {
			explicit(time.Second)(cfg)
			cfg.Histogram.Exponential = configoptional.Some(ExponentialHistogramConfig{MaxSize: 20})
		}, []string{`both "explicit" and "exponential"`}},
		{"exponential too small", func(cfg *Config) {
			cfg.Histogram.Exponential = configoptional.Some(ExponentialHistogramConfig{MaxSize: 1})
		}, []string{`"histogram::exponential::max_size" is 1: set a number from 2 to 16384`}},
		{"no exemplars", func(cfg *Config) { cfg.Exemplars = ExemplarsConfig{} }, nil},
		{"exemplars without room", func(cfg *Config) { cfg.Exemplars.MaxPerDataPoint = 0 },
			[]string{`"exemplars::max_per_data_point" is 0`, `"exemplars::enabled: false"`}},
		{"no interval", func(cfg *Config) { cfg.MetricsFlushInterval = 0 }, []string{`"metrics_flush_interval" is 0s`, "15s"}},
		{"negative expiration", func(cfg *Config) { cfg.SeriesExpiration = -time.Second }, []string{`"series_expiration" is -1s`}},
		{"expiration never", func(cfg *Config) { cfg.SeriesExpiration = 0 }, nil},
		{"no limit", func(cfg *Config) { cfg.AggregationCardinalityLimit = 0 },
			[]string{`"aggregation_cardinality_limit" is 0: set 2 or more`}},
		{"no applications", func(cfg *Config) { cfg.MaxApplications = 0 }, []string{`"max_applications" is 0`}},
		{"no memory of spans", func(cfg *Config) { cfg.Deduplicate.MaxEntries = 0 },
			[]string{`"deduplicate::max_entries" is 0: set 1000 or more`}},
		{"negative event age", func(cfg *Config) { cfg.MaxEventAge = -time.Hour }, []string{`"max_event_age" is -1h0m0s`, "or 0"}},
		{"no age", func(cfg *Config) { cfg.ActiveMaxAge = 0 }, []string{`"active_max_age" is 0s`}},
		{"no ids", func(cfg *Config) { cfg.ActiveMaxIDs = -1 }, []string{`"active_max_ids" is -1`}},
		{"dimensions", dimension("tasker.queue_name", "tenant_id"), nil},
		{"dimension without a name", dimension(""), []string{`"dimensions[0]::name" is empty`}},
		{"dimension twice", dimension("a.b", "a_b"),
			[]string{`"dimensions[1]::name" is "a_b", which Prometheus cannot tell from dimensions[0] (a.b)`}},
		{"built-in dimension", dimension("task.name"), []string{"the built-in label task_name"}},
		{"ids", dimension("tasker.task_id", "step_id", "trace_id"),
			[]string{`"tasker.task_id"`, `"step_id"`, `"trace_id"`, `"allow_unbounded"`, "exemplars"}},
		{"id that the operator insists on", func(cfg *Config) {
			dimension("tasker.task_id")(cfg)
			cfg.AllowUnbounded = []string{"tasker.task_id"}
		}, nil},
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
