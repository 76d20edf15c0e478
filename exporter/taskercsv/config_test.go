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
	assert.Equal(t, rowfile.Rotation{MaxMegabytes: 10, MaxDays: 7, MaxBackups: 3, LocalTime: true}, cfg.Rotation)
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
		"no path":            {func(c *Config) { c.Path = "" }, `path: "" is not a file; use one such as ./data/tasker-{signal}.csv`},
		"directory":          {func(c *Config) { c.Path = "data/" }, `path: "data/" is a directory; use a file in it, such as data/tasker-{signal}.csv`},
		"no delimiter":       {func(c *Config) { c.Delimiter = "" }, `delimiter: "" is not one character`},
		"two delimiters":     {func(c *Config) { c.Delimiter = ";;" }, `delimiter: ";;" is not one character`},
		"quote as delimiter": {func(c *Config) { c.Delimiter = `"` }, `delimiter: "\"" is not one character`},
		"broken delimiter":   {func(c *Config) { c.Delimiter = "\xff" }, `delimiter: "\xff" is not one character`},
		"timestamp format":   {func(c *Config) { c.TimestampFormat = "iso" }, `timestamp_format: "iso" is not known; use "rfc3339nano", "rfc3339", "datetime", "unix", "unix_ms" or "unix_ns"`},
		"histograms":         {func(c *Config) { c.Histograms = "none" }, `histograms: "none" is not known; use "buckets", "quantiles" or "summary"`},
		"quantile":           {func(c *Config) { c.Quantiles = []float64{0.5, 95} }, `quantiles[1]: 95 is out of range; use 0 to 1`},
		"quantile twice":     {func(c *Config) { c.Quantiles = []float64{0.5, 0.5} }, `quantiles[1]: 0.5 is listed already; remove one of the two`},
		"no quantiles": {
			func(c *Config) { c.Histograms, c.Quantiles = csvtable.ModeQuantiles, nil },
			`quantiles: is empty, although histograms is "quantiles"; use one or more`,
		},
		"empty attribute":    {func(c *Config) { c.ResourceAttributes = []string{""} }, `resource_attributes[0]: "" is not a key`},
		"attribute is taken": {func(c *Config) { c.ResourceAttributes = []string{"name"} }, `resource_attributes[0]: "name" is a column already; rename the attribute`},
		"attribute twice":    {func(c *Config) { c.ResourceAttributes = []string{"a", "a"} }, `resource_attributes[1]: "a" is listed already`},
		"write interval":     {func(c *Config) { c.MinWriteInterval = -time.Second }, `min_write_interval: -1s is negative; use a duration such as 1s, or 0s to write at each batch`},
		"expiration":         {func(c *Config) { c.SeriesExpiration = -time.Hour }, `series_expiration: -1h0m0s is negative; use a duration such as 24h, or 0s to keep series for ever`},
		"no unit":            {func(c *Config) { c.SeriesExpiration = 3600 }, `series_expiration: 3.6µs is in nanoseconds, as a number without a unit is; write the unit`},
		"series":             {func(c *Config) { c.MaxSeries = 0 }, `max_series: 0 is too small; use 1 or more`},
		"columns":            {func(c *Config) { c.MaxColumns = -1 }, `max_columns: -1 is too small; use 1 or more`},
		"rows":               {func(c *Config) { c.MaxRows = 0 }, `max_rows: 0 is too small; use 1 or more`},
		"mode":               {func(c *Config) { c.Mode = "both" }, `mode: "both" is not known; use "", "snapshot" or "append"`},
		"compression":        {func(c *Config) { c.Compression = "zip" }, `compression: "zip" is not known; use "none", "gzip" or "zstd"`},
		"format":             {func(c *Config) { c.Format = "xml" }, `format: "xml" is not known; use "csv" or "json"`},
		"format and path":    {func(c *Config) { c.Format = "json" }, `path: "./data/tasker-{signal}.csv" ends with .csv, although format is "json"; use a path such as ./data/tasker-{signal}.jsonl`},
		"column twice":       {func(c *Config) { c.Columns = []string{"a", "a"} }, `columns[1]: "a" is listed already`},
		"empty column":       {func(c *Config) { c.Columns = []string{""} }, `columns[0]: "" is not a column`},
		"megabytes":          {func(c *Config) { c.Rotation.MaxMegabytes = 0 }, `rotation::max_megabytes: 0 is too small; use 1 or more`},
		"days":               {func(c *Config) { c.Rotation.MaxDays = -1 }, `rotation::max_days: -1 is negative; use a number above 0, or 0 to keep`},
		"backups":            {func(c *Config) { c.Rotation.MaxBackups = -1 }, `rotation::max_backups: -1 is negative`},
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
			assert.ErrorContains(t, err, key+": ")
		}
	})
}
