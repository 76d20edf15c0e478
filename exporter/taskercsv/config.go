// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/rowfile"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Config is the configuration of the exporter. The README documents it.
type Config struct {
	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`

	// Path is the file; {signal} in it is replaced by metrics, traces or logs. Its directory is created at startup.
	Path string `mapstructure:"path"`
	// Mode is snapshot, which replaces the whole file, or append. Empty means snapshot for metrics and append otherwise.
	Mode Mode `mapstructure:"mode"`
	// Compression of snapshots, and of rotated files in append mode: none, gzip or zstd.
	Compression rowfile.Compression `mapstructure:"compression"`
	// Rotation bounds the files in append mode.
	Rotation rowfile.Rotation `mapstructure:"rotation"`
	// MaxRows is how many of the latest spans or log records a snapshot contains.
	MaxRows int `mapstructure:"max_rows"`

	// Format is the format of rows: csv, or json for one object per line.
	Format csvtext.RowFormat `mapstructure:"format"`
	// Header writes the column names as the first row.
	Header bool `mapstructure:"header"`
	// Columns are the columns of the file in order; empty for the defaults in the README.
	Columns []string `mapstructure:"columns"`
	// Delimiter is the character that separates cells.
	Delimiter string `mapstructure:"delimiter"`
	// TimestampFormat is the format of times: rfc3339nano, rfc3339, datetime, unix, unix_ms or unix_ns.
	TimestampFormat csvtext.TimeFormat `mapstructure:"timestamp_format"`
	// FormulaGuard prepends an apostrophe to text that a spreadsheet would evaluate as a formula.
	FormulaGuard bool `mapstructure:"formula_guard"`

	// Histograms selects the rows of a histogram: buckets, quantiles or summary.
	Histograms csvtable.Mode `mapstructure:"histograms"`
	// Quantiles are the quantiles to estimate for histograms, each between 0 and 1.
	Quantiles []float64 `mapstructure:"quantiles"`
	// ResourceAttributes are the resource attributes that have a column.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// MinWriteInterval is the minimum interval between two writes of metrics, or of snapshots; 0 writes at each batch.
	// Spans and log records are appended at each batch.
	MinWriteInterval time.Duration `mapstructure:"min_write_interval"`
	// SeriesExpiration is how long a series without a new data point is kept; 0 disables expiration.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// MaxSeries is the maximum number of series, of which each application has a share; further ones are dropped.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesBytes is the maximum of their estimated memory, of which each application has a share.
	MaxSeriesBytes int64 `mapstructure:"max_series_bytes"`
	// MaxColumns is the maximum number of label columns; series that need more are dropped.
	MaxColumns int `mapstructure:"max_columns"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Mode is how the file is written.
type Mode string

// The modes.
const (
	// ModeBySignal means snapshot for metrics and append for traces and logs.
	ModeBySignal Mode = ""
	ModeSnapshot Mode = "snapshot"
	ModeAppend   Mode = "append"
)

// signalPlaceholder is replaced by the signal in a path.
const signalPlaceholder = "{signal}"

// createDefaultConfig returns the defaults. They have no sending queue and no retry: a batch that could not be written is
// returned to the pipeline, so that it is not acknowledged.
func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.Enabled = false
	return &Config{
		TimeoutConfig:      exporterhelper.NewDefaultTimeoutConfig(),
		QueueConfig:        configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig:        retry,
		Path:               "./data/tasker-" + signalPlaceholder + ".csv",
		Compression:        rowfile.CompressionNone,
		Rotation:           rowfile.Rotation{MaxMegabytes: 100, MaxBackups: 10},
		MaxRows:            10_000,
		Format:             csvtext.RowsCSV,
		Header:             true,
		Delimiter:          ",",
		TimestampFormat:    csvtext.TimeRFC3339Nano,
		FormulaGuard:       true,
		Histograms:         csvtable.ModeSummary,
		Quantiles:          []float64{0.5, 0.95, 0.99},
		ResourceAttributes: []string{"service.name", "service.namespace"},
		MinWriteInterval:   time.Second,
		SeriesExpiration:   24 * time.Hour,
		MaxSeries:          50_000,
		MaxSeriesBytes:     64 << 20,
		MaxColumns:         64,
	}
}

// Validate reports all mistakes at once.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validatePath(),
		cfg.validateDelimiter(),
		configerr.OneOf("mode", cfg.Mode, ModeBySignal, ModeSnapshot, ModeAppend),
		configerr.OneOf("compression", cfg.Compression, rowfile.Compressions()...),
		configerr.AtLeast(configerr.Path("rotation", "max_megabytes"), cfg.Rotation.MaxMegabytes, 1),
		configerr.OrZero(configerr.Path("rotation", "max_days"), cfg.Rotation.MaxDays, "to keep old files for ever"),
		configerr.OrZero(configerr.Path("rotation", "max_backups"), cfg.Rotation.MaxBackups, "to keep all old files"),
		configerr.OneOf("format", cfg.Format, csvtext.RowFormats()...),
		cfg.validateColumns(),
		configerr.OneOf("timestamp_format", cfg.TimestampFormat, csvtext.TimeFormats()...),
		configerr.OneOf("histograms", cfg.Histograms, csvtable.Modes()...),
		cfg.validateQuantiles(),
		cfg.validateResourceAttributes(),
		configerr.NotNegative("min_write_interval", cfg.MinWriteInterval, "1s", "to write at each batch"),
		configerr.NotNegative("series_expiration", cfg.SeriesExpiration, "24h", "to keep series for ever"),
		configerr.AtLeast("max_series", cfg.MaxSeries, 1),
		configerr.AtLeast("max_series_bytes", cfg.MaxSeriesBytes, 1),
		configerr.AtLeast("max_columns", cfg.MaxColumns, 1),
		configerr.AtLeast("max_rows", cfg.MaxRows, 1),
	)
}

func (cfg *Config) validatePath() error {
	switch {
	case cfg.Path == "":
		return configerr.New("path", cfg.Path, "is not a file", "use one such as ./data/tasker-{signal}.csv")
	case strings.HasSuffix(cfg.Path, "/"):
		return configerr.New("path", cfg.Path, "is a directory", fmt.Sprintf("use a file in it, such as %stasker-{signal}.csv", cfg.Path))
	case cfg.Format == csvtext.RowsJSON && strings.HasSuffix(cfg.Path, ".csv"):
		return configerr.New("path", cfg.Path, "ends with .csv, although format is \"json\"", fmt.Sprintf("use a path such as %s.jsonl", strings.TrimSuffix(cfg.Path, ".csv")))
	}
	return nil
}

func (cfg *Config) validateDelimiter() error {
	if r, size := utf8.DecodeRuneInString(cfg.Delimiter); size == len(cfg.Delimiter) && csvtext.ValidDelimiter(r) {
		return nil
	}
	return configerr.New("delimiter", cfg.Delimiter, "is not one character other than a quote or a line break", `use one such as ",", ";" or "\t"`)
}

func (cfg *Config) validateColumns() error {
	var mistakes []error
	for i, column := range cfg.Columns {
		at := configerr.Index("columns", i)
		switch {
		case column == "":
			mistakes = append(mistakes, configerr.New(at, column, "is not a column", "use one of the README's lists, or an attribute's key"))
		case slices.Index(cfg.Columns, column) < i:
			mistakes = append(mistakes, configerr.New(at, column, "is listed already", "remove one of the two"))
		}
	}
	return errors.Join(mistakes...)
}

func (cfg *Config) validateQuantiles() error {
	var mistakes []error
	if len(cfg.Quantiles) == 0 && cfg.Histograms == csvtable.ModeQuantiles {
		mistakes = append(mistakes, configerr.New("quantiles", nil, "is empty, although histograms is \"quantiles\"",
			"use one or more, such as 0.95, or set histograms to \"summary\""))
	}
	for i, q := range cfg.Quantiles {
		at := configerr.Index("quantiles", i)
		mistakes = append(mistakes, configerr.InRange(at, q, 0, 1))
		if slices.Index(cfg.Quantiles, q) < i && q == q {
			mistakes = append(mistakes, configerr.New(at, q, "is listed already", "remove one of the two"))
		}
	}
	return errors.Join(mistakes...)
}

func (cfg *Config) validateResourceAttributes() error {
	var mistakes []error
	reserved := []string{"timestamp", "name", "type", "value", "le", "quantile"}
	for i, key := range cfg.ResourceAttributes {
		at := configerr.Index("resource_attributes", i)
		switch {
		case key == "":
			mistakes = append(mistakes, configerr.New(at, key, "is not a key", "use the key of a resource attribute"))
		case slices.Contains(reserved, key):
			mistakes = append(mistakes, configerr.New(at, key, "is a column already", "rename the attribute with the resource processor"))
		case slices.Index(cfg.ResourceAttributes, key) < i:
			mistakes = append(mistakes, configerr.New(at, key, "is listed already", "remove one of the two"))
		}
	}
	return errors.Join(mistakes...)
}

// signal is the signal of an exporter instance.
type signal string

const (
	signalMetrics signal = "metrics"
	signalTraces  signal = "traces"
	signalLogs    signal = "logs"
)

// path returns the path for a signal.
func (cfg *Config) path(of signal) string {
	return strings.ReplaceAll(cfg.Path, signalPlaceholder, string(of))
}

// appends reports whether a signal's file is appended to.
func (cfg *Config) appends(of signal) bool {
	if cfg.Mode == ModeBySignal {
		return of != signalMetrics
	}
	return cfg.Mode == ModeAppend
}

func (cfg *Config) delimiter() rune {
	delimiter, _ := utf8.DecodeRuneInString(cfg.Delimiter)
	return delimiter
}

func (cfg *Config) style() csvtext.Style {
	return csvtext.Style{Rows: cfg.Format, Time: cfg.TimestampFormat, Guard: cfg.FormulaGuard}
}

// file returns a signal's file. Errors with rotated files are passed to failed.
func (cfg *Config) file(of signal, failed func(error)) rowfile.File {
	format := rowfile.Format{JSON: cfg.Format == csvtext.RowsJSON, Delimiter: cfg.delimiter(), Header: cfg.Header}
	if cfg.appends(of) {
		return rowfile.NewAppend(cfg.path(of), format, cfg.Rotation, cfg.Compression, failed)
	}
	return rowfile.NewSnapshot(cfg.path(of), format, cfg.Compression)
}

// layout returns the configured layout; the config must be valid.
func (cfg *Config) layout() csvtable.Layout {
	return csvtable.Layout{
		ResourceColumns: slices.Clone(cfg.ResourceAttributes),
		Mode:            cfg.Histograms,
		Quantiles:       slices.Clone(cfg.Quantiles),
		Style:           cfg.style(),
		Delimiter:       cfg.delimiter(),
		Columns:         slices.Clone(cfg.Columns),
	}
}
