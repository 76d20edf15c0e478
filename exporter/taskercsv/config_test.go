// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/rowfile"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
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
	assert.Equal(t, "./data/tasker-metrics.csv", cfg.path(signalMetrics))
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
	assert.Equal(t, csvtable.Layout{
		ResourceColumns: []string{"service.name", "service.instance.id"},
		Mode:            csvtable.ModeBuckets,
		Quantiles:       []float64{0.9},
		Style:           csvtext.Style{Rows: csvtext.RowsCSV, Time: csvtext.TimeUnixMilli},
		Delimiter:       '\t',
	}, cfg.layout())
}

func TestFileOfASignal(t *testing.T) {
	cfg := loadConfig(t, "tasker_csv/append")
	assert.Equal(t, "/var/lib/otelcol-tasker/tasker-traces.csv", cfg.path(signalTraces))
	for _, of := range []signal{signalMetrics, signalTraces, signalLogs} {
		assert.True(t, cfg.appends(of))
	}
	assert.False(t, cfg.Header)
	assert.Equal(t, rowfile.CompressionZstd, cfg.Compression)
	assert.Equal(t, RotationConfig{MaxMegabytes: 10, MaxDays: 7, MaxBackups: 3, LocalTime: true}, cfg.Rotation)
	assert.Equal(t, []string{"start", "name", "duration_seconds"}, cfg.Columns)

	cfg = loadConfig(t, "tasker_csv")
	assert.False(t, cfg.appends(signalMetrics))
	assert.True(t, cfg.appends(signalTraces))
	assert.True(t, cfg.appends(signalLogs))
}

func TestConfigErrors(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"no path":            {func(c *Config) { c.Path = "" }, `'path' is empty: give the file to write`},
		"directory":          {func(c *Config) { c.Path = "data/" }, `'path' is "data/", a directory: give a file in it, such as data/tasker-{signal}.csv`},
		"no delimiter":       {func(c *Config) { c.Delimiter = "" }, `'delimiter' is "": give one character`},
		"two delimiters":     {func(c *Config) { c.Delimiter = ";;" }, `'delimiter' is ";;": give one character`},
		"quote as delimiter": {func(c *Config) { c.Delimiter = `"` }, `'delimiter' is "\"": give one character`},
		"broken delimiter":   {func(c *Config) { c.Delimiter = "\xff" }, `'delimiter' is "\xff": give one character`},
		"timestamp format":   {func(c *Config) { c.TimestampFormat = "iso" }, `'timestamp_format' is "iso": use one of rfc3339nano, rfc3339, datetime, unix, unix_ms, unix_ns`},
		"histograms":         {func(c *Config) { c.Histograms = "none" }, `'histograms' is "none": use one of buckets, quantiles, summary`},
		"quantile":           {func(c *Config) { c.Quantiles = []float64{0.5, 95} }, `'quantiles[1]' is 95: give a number from 0 to 1`},
		"quantile twice":     {func(c *Config) { c.Quantiles = []float64{0.5, 0.5} }, `'quantiles[1]' is 0.5, which is there already`},
		"no quantiles": {
			func(c *Config) { c.Histograms, c.Quantiles = csvtable.ModeQuantiles, nil },
			`'quantiles' is empty although 'histograms' is "quantiles"`,
		},
		"empty attribute":    {func(c *Config) { c.ResourceAttributes = []string{""} }, `'resource_attributes[0]' is empty`},
		"attribute is taken": {func(c *Config) { c.ResourceAttributes = []string{"name"} }, `'resource_attributes[0]' is "name", which is a column already`},
		"attribute twice":    {func(c *Config) { c.ResourceAttributes = []string{"a", "a"} }, `'resource_attributes[1]' is "a", which is there already`},
		"write interval":     {func(c *Config) { c.MinWriteInterval = -time.Second }, `'min_write_interval' is -1s: give a positive duration`},
		"expiration":         {func(c *Config) { c.SeriesExpiration = -time.Hour }, `'series_expiration' is -1h0m0s: give a positive duration`},
		"no unit":            {func(c *Config) { c.SeriesExpiration = 3600 }, `'series_expiration' is 3.6µs, as a number without a unit is nanoseconds`},
		"series":             {func(c *Config) { c.MaxSeries = 0 }, `'max_series' is 0: give a number above 0`},
		"columns":            {func(c *Config) { c.MaxColumns = -1 }, `'max_columns' is -1: give a number above 0`},
		"rows":               {func(c *Config) { c.MaxRows = 0 }, `'max_rows' is 0: give a number above 0`},
		"mode":               {func(c *Config) { c.Mode = "both" }, `'mode' is "both": use one of snapshot, append`},
		"compression":        {func(c *Config) { c.Compression = "zip" }, `'compression' is "zip": use one of none, gzip, zstd`},
		"format":             {func(c *Config) { c.Format = "xml" }, `'format' is "xml": use one of csv, json`},
		"format and path":    {func(c *Config) { c.Format = "json" }, `'path' is "./data/tasker-{signal}.csv" although 'format' is "json": give a path such as ./data/tasker-{signal}.jsonl`},
		"column twice":       {func(c *Config) { c.Columns = []string{"a", "a"} }, `'columns[1]' is "a", which is there already`},
		"empty column":       {func(c *Config) { c.Columns = []string{""} }, `'columns[0]' is empty`},
		"megabytes":          {func(c *Config) { c.Rotation.MaxMegabytes = 0 }, `'rotation::max_megabytes' is 0: give a number above 0`},
		"days":               {func(c *Config) { c.Rotation.MaxDays = -1 }, `'rotation::max_days' is -1: give a number above 0, or 0 to keep`},
		"backups":            {func(c *Config) { c.Rotation.MaxBackups = -1 }, `'rotation::max_backups' is -1`},
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
		for _, key := range []string{"path", "delimiter", "timestamp_format", "histograms", "max_series", "max_columns", "max_rows", "compression",
			"rotation::max_megabytes", "format"} {
			assert.ErrorContains(t, err, "'"+key+"'")
		}
	})
}
