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

// Config is the configuration of the exporter; the README has a table of it.
type Config struct {
	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`

	// Path is the file; {signal} in it becomes metrics, traces or logs. Its directory is created at start.
	Path string `mapstructure:"path"`
	// Mode is snapshot, a file that is replaced as a whole, or append. Empty means snapshot for metrics, append otherwise.
	Mode Mode `mapstructure:"mode"`
	// Compression packs a snapshot, and the old files of append: none, gzip or zstd.
	Compression rowfile.Compression `mapstructure:"compression"`
	// Rotation bounds the files of append.
	Rotation RotationConfig `mapstructure:"rotation"`
	// MaxRows is how many of the latest spans or log records a snapshot has.
	MaxRows int `mapstructure:"max_rows"`

	// Format is how rows are written: csv, or json, an object a line.
	Format csvtext.RowFormat `mapstructure:"format"`
	// Header writes the names of the columns as the first row.
	Header bool `mapstructure:"header"`
	// Columns are the columns of the file, in this order; empty for those that the README lists.
	Columns []string `mapstructure:"columns"`
	// Delimiter separates cells: one character.
	Delimiter string `mapstructure:"delimiter"`
	// TimestampFormat is how times are written: rfc3339nano, rfc3339, datetime, unix, unix_ms or unix_ns.
	TimestampFormat csvtext.TimeFormat `mapstructure:"timestamp_format"`
	// FormulaGuard puts an apostrophe before text that a spreadsheet would run as a formula.
	FormulaGuard bool `mapstructure:"formula_guard"`

	// Histograms says which rows a histogram has: buckets, quantiles or summary.
	Histograms csvtable.Mode `mapstructure:"histograms"`
	// Quantiles are the quantiles estimated for histograms, each between 0 and 1.
	Quantiles []float64 `mapstructure:"quantiles"`
	// ResourceAttributes are the resource attributes that have a column.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// MinWriteInterval is the least time between two writes of metrics, or of snapshots; 0 writes at each batch. Spans and
	// log records are appended at each batch.
	MinWriteInterval time.Duration `mapstructure:"min_write_interval"`
	// SeriesExpiration is how long a series stays without a new data point; 0 keeps it for ever.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// MaxSeries is the most series in the table, of which each application has a share; further ones are dropped.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesBytes is what they may take in memory, of which each application has a share.
	MaxSeriesBytes int64 `mapstructure:"max_series_bytes"`
	// MaxColumns is the most label columns; series that need more are dropped.
	MaxColumns int `mapstructure:"max_columns"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Mode says how the file is written.
type Mode string

// The modes.
const (
	// ModeBySignal is snapshot for metrics and append for traces and logs.
	ModeBySignal Mode = ""
	ModeSnapshot Mode = "snapshot"
	ModeAppend   Mode = "append"
)

// RotationConfig bounds the files of append.
type RotationConfig struct {
	// MaxMegabytes of a file.
	MaxMegabytes int `mapstructure:"max_megabytes"`
	// MaxDays that an old file stays; 0 for ever.
	MaxDays int `mapstructure:"max_days"`
	// MaxBackups is how many old files stay; 0 all.
	MaxBackups int `mapstructure:"max_backups"`
	// LocalTime names old files by the local time instead of UTC.
	LocalTime bool `mapstructure:"localtime"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// signalPlaceholder in a path stands for the signal.
const signalPlaceholder = "{signal}"

// createDefaultConfig returns the defaults. There is no sending queue and no retry by default: a batch that could not be
// written goes back to the pipeline at once, so that nobody takes it for written.
func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.Enabled = false
	return &Config{
		TimeoutConfig:      exporterhelper.NewDefaultTimeoutConfig(),
		QueueConfig:        configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig:        retry,
		Path:               "./data/tasker-" + signalPlaceholder + ".csv",
		Compression:        rowfile.CompressionNone,
		Rotation:           RotationConfig{MaxMegabytes: 100, MaxBackups: 10},
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

// Validate reports every mistake at once.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validatePath(),
		cfg.validateDelimiter(),
		cfg.validateMode(),
		oneOf("compression", cfg.Compression, rowfile.Compressions()),
		cfg.Rotation.validate(),
		oneOf("format", cfg.Format, csvtext.RowFormats()),
		cfg.validateColumns(),
		oneOf("timestamp_format", cfg.TimestampFormat, csvtext.TimeFormats()),
		oneOf("histograms", cfg.Histograms, csvtable.Modes()),
		cfg.validateQuantiles(),
		cfg.validateResourceAttributes(),
		notNegative("min_write_interval", cfg.MinWriteInterval, "0s to write at each batch"),
		notNegative("series_expiration", cfg.SeriesExpiration, "0s to keep series for ever"),
		positive("max_series", cfg.MaxSeries),
		positive("max_series_bytes", cfg.MaxSeriesBytes),
		positive("max_columns", cfg.MaxColumns),
		positive("max_rows", cfg.MaxRows),
	)
}

func (cfg *Config) validatePath() error {
	if cfg.Path == "" {
		return errors.New("'path' is empty: give the file to write, such as ./data/tasker-{signal}.csv")
	}
	if strings.HasSuffix(cfg.Path, "/") {
		return fmt.Errorf("'path' is %q, a directory: give a file in it, such as %stasker-{signal}.csv", cfg.Path, cfg.Path)
	}
	if cfg.Format == csvtext.RowsJSON && strings.HasSuffix(cfg.Path, ".csv") {
		return fmt.Errorf("'path' is %q although 'format' is \"json\": give a path such as %s", cfg.Path,
			strings.TrimSuffix(cfg.Path, ".csv")+".jsonl")
	}
	return nil
}

func (cfg *Config) validateDelimiter() error {
	if r, size := utf8.DecodeRuneInString(cfg.Delimiter); size == len(cfg.Delimiter) && csvtext.ValidDelimiter(r) {
		return nil
	}
	return fmt.Errorf("'delimiter' is %q: give one character other than a quote or a line break, such as \",\", \";\" or \"\\t\"",
		cfg.Delimiter)
}

func (cfg *Config) validateMode() error {
	if cfg.Mode == ModeBySignal {
		return nil
	}
	return oneOf("mode", cfg.Mode, []Mode{ModeSnapshot, ModeAppend})
}

func (r RotationConfig) validate() error {
	return errors.Join(
		positive("rotation::max_megabytes", r.MaxMegabytes),
		orZero("rotation::max_days", r.MaxDays, "0 to keep old files for ever"),
		orZero("rotation::max_backups", r.MaxBackups, "0 to keep all old files"),
	)
}

func (cfg *Config) validateColumns() error {
	var errs []error
	for i, column := range cfg.Columns {
		switch {
		case column == "":
			errs = append(errs, fmt.Errorf("'columns[%d]' is empty: give a column of the README's lists, or an attribute's key", i))
		case slices.Index(cfg.Columns, column) < i:
			errs = append(errs, fmt.Errorf("'columns[%d]' is %q, which is there already: remove one of the two", i, column))
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateQuantiles() error {
	var errs []error
	if len(cfg.Quantiles) == 0 && cfg.Histograms == csvtable.ModeQuantiles {
		errs = append(errs, errors.New("'quantiles' is empty although 'histograms' is \"quantiles\": "+
			"give at least one, such as 0.95, or set 'histograms' to \"summary\""))
	}
	for i, q := range cfg.Quantiles {
		if !(q >= 0 && q <= 1) {
			errs = append(errs, fmt.Errorf("'quantiles[%d]' is %v: give a number from 0 to 1, such as 0.95", i, q))
		}
		if slices.Index(cfg.Quantiles, q) < i {
			errs = append(errs, fmt.Errorf("'quantiles[%d]' is %v, which is there already: remove one of the two", i, q))
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateResourceAttributes() error {
	var errs []error
	reserved := []string{"timestamp", "name", "type", "value", "le", "quantile"}
	for i, key := range cfg.ResourceAttributes {
		switch {
		case key == "":
			errs = append(errs, fmt.Errorf("'resource_attributes[%d]' is empty: give the key of a resource attribute", i))
		case slices.Contains(reserved, key):
			errs = append(errs, fmt.Errorf("'resource_attributes[%d]' is %q, which is a column already: "+
				"rename the attribute with the resource processor", i, key))
		case slices.Index(cfg.ResourceAttributes, key) < i:
			errs = append(errs, fmt.Errorf("'resource_attributes[%d]' is %q, which is there already: remove one of the two", i, key))
		}
	}
	return errors.Join(errs...)
}

func oneOf[T ~string](key string, value T, allowed []T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return fmt.Errorf("'%s' is %q: use one of %s", key, value, strings.Join(names, ", "))
}

func notNegative(key string, value time.Duration, zero string) error {
	if value >= 0 {
		return configerr.CheckUnit("'"+key+"'", value, "1s")
	}
	return fmt.Errorf("'%s' is %s: give a positive duration, or %s", key, value, zero)
}

func positive[N int | int64](key string, value N) error {
	if value > 0 {
		return nil
	}
	return fmt.Errorf("'%s' is %d: give a number above 0", key, value)
}

func orZero(key string, value int, zero string) error {
	if value >= 0 {
		return nil
	}
	return fmt.Errorf("'%s' is %d: give a number above 0, or %s", key, value, zero)
}

// signal is what an instance of the exporter is for.
type signal string

const (
	signalMetrics signal = "metrics"
	signalTraces  signal = "traces"
	signalLogs    signal = "logs"
)

// path is the file of a signal.
func (cfg *Config) path(of signal) string {
	return strings.ReplaceAll(cfg.Path, signalPlaceholder, string(of))
}

// appends reports whether the file of a signal is appended to.
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

// file is the file of a signal; it tells failed why an old one can't be packed.
func (cfg *Config) file(of signal, failed func(error)) rowfile.File {
	format := rowfile.Format{JSON: cfg.Format == csvtext.RowsJSON, Delimiter: cfg.delimiter(), Header: cfg.Header}
	if cfg.appends(of) {
		return rowfile.NewAppend(cfg.path(of), format, rowfile.Rotation{
			MaxMegabytes: cfg.Rotation.MaxMegabytes, MaxDays: cfg.Rotation.MaxDays, MaxBackups: cfg.Rotation.MaxBackups,
			LocalTime: cfg.Rotation.LocalTime,
		}, cfg.Compression, failed)
	}
	return rowfile.NewSnapshot(cfg.path(of), format, cfg.Compression)
}

// layout is the file's layout as configured; the config must be valid.
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
