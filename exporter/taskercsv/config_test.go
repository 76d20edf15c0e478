package taskercsv

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/internal/metrictable"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := file.Sub(name)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	return cfg
}

func TestDefaultConfig(t *testing.T) {
	cfg := loadConfig(t, "tasker_csv")
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.False(t, cfg.QueueConfig.HasValue(), "a refused write goes back to the pipeline")
	assert.False(t, cfg.RetryConfig.Enabled)
	assert.Equal(t, "./data/tasker-metrics.csv", cfg.Path)
}

func TestFullConfig(t *testing.T) {
	cfg := loadConfig(t, "tasker_csv/all")
	assert.Equal(t, "/var/lib/otelcol-tasker/metrics.tsv", cfg.Path)
	assert.Equal(t, 10*time.Second, cfg.MinWriteInterval)
	assert.Equal(t, time.Hour, cfg.SeriesExpiration)
	assert.Equal(t, 500, cfg.MaxSeries)
	assert.Equal(t, 8, cfg.MaxColumns)
	assert.Equal(t, 2*time.Second, cfg.TimeoutConfig.Timeout)
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.Equal(t, time.Minute, cfg.RetryConfig.MaxElapsedTime)
	require.True(t, cfg.QueueConfig.HasValue())
	assert.Equal(t, 1, cfg.QueueConfig.Get().NumConsumers)
	assert.Equal(t, metrictable.Layout{
		ResourceColumns: []string{"service.name", "service.instance.id"},
		Mode:            metrictable.ModeBuckets,
		Quantiles:       []float64{0.9},
		Time:            metrictable.TimeUnixMilli,
		Delimiter:       '\t',
	}, cfg.layout())
}

func TestConfigErrors(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"no path":            {func(c *Config) { c.Path = "" }, `'path' is empty: give the file to write`},
		"directory":          {func(c *Config) { c.Path = "data/" }, `'path' is "data/", a directory: give a file in it, such as data/tasker-metrics.csv`},
		"no delimiter":       {func(c *Config) { c.Delimiter = "" }, `'delimiter' is "": give one character`},
		"two delimiters":     {func(c *Config) { c.Delimiter = ";;" }, `'delimiter' is ";;": give one character`},
		"quote as delimiter": {func(c *Config) { c.Delimiter = `"` }, `'delimiter' is "\"": give one character`},
		"broken delimiter":   {func(c *Config) { c.Delimiter = "\xff" }, `'delimiter' is "\xff": give one character`},
		"timestamp format":   {func(c *Config) { c.TimestampFormat = "iso" }, `'timestamp_format' is "iso": use one of rfc3339nano, unix, unix_ms`},
		"histograms":         {func(c *Config) { c.Histograms = "none" }, `'histograms' is "none": use one of buckets, quantiles, summary`},
		"quantile":           {func(c *Config) { c.Quantiles = []float64{0.5, 95} }, `'quantiles[1]' is 95: give a number from 0 to 1`},
		"quantile twice":     {func(c *Config) { c.Quantiles = []float64{0.5, 0.5} }, `'quantiles[1]' is 0.5, which is there already`},
		"no quantiles": {
			func(c *Config) { c.Histograms, c.Quantiles = metrictable.ModeQuantiles, nil },
			`'quantiles' is empty although 'histograms' is "quantiles"`,
		},
		"empty attribute":    {func(c *Config) { c.ResourceAttributes = []string{""} }, `'resource_attributes[0]' is empty`},
		"attribute is taken": {func(c *Config) { c.ResourceAttributes = []string{"name"} }, `'resource_attributes[0]' is "name", which is a column already`},
		"attribute twice":    {func(c *Config) { c.ResourceAttributes = []string{"a", "a"} }, `'resource_attributes[1]' is "a", which is there already`},
		"write interval":     {func(c *Config) { c.MinWriteInterval = -time.Second }, `'min_write_interval' is -1s: give a positive duration`},
		"expiration":         {func(c *Config) { c.SeriesExpiration = -time.Hour }, `'series_expiration' is -1h0m0s: give a positive duration`},
		"series":             {func(c *Config) { c.MaxSeries = 0 }, `'max_series' is 0: give a number above 0`},
		"columns":            {func(c *Config) { c.MaxColumns = -1 }, `'max_columns' is -1: give a number above 0`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			test.change(cfg)
			assert.ErrorContains(t, cfg.Validate(), test.want)
		})
	}

	t.Run("all at once", func(t *testing.T) {
		err := (&Config{}).Validate()
		for _, key := range []string{"path", "delimiter", "timestamp_format", "histograms", "max_series", "max_columns"} {
			assert.ErrorContains(t, err, "'"+key+"'")
		}
	})
}
