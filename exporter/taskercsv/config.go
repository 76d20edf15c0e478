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

	"github.com/tasker-otel/otelcol-tasker/internal/metrictable"
)

// Config is the configuration of the exporter; the README has a table of it.
type Config struct {
	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`

	// Path is the file that each snapshot replaces. Its directory is created at start.
	Path string `mapstructure:"path"`
	// Delimiter separates cells: one character.
	Delimiter string `mapstructure:"delimiter"`
	// TimestampFormat is how the column "timestamp" is written: rfc3339nano, unix or unix_ms.
	TimestampFormat metrictable.TimeFormat `mapstructure:"timestamp_format"`
	// FormulaGuard puts an apostrophe before text that a spreadsheet would run as a formula.
	FormulaGuard bool `mapstructure:"formula_guard"`

	// Histograms says which rows a histogram has: buckets, quantiles or summary.
	Histograms metrictable.Mode `mapstructure:"histograms"`
	// Quantiles are the quantiles estimated for histograms, each between 0 and 1.
	Quantiles []float64 `mapstructure:"quantiles"`
	// ResourceAttributes are the resource attributes that have a column.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// MinWriteInterval is the least time between two snapshots; 0 writes one for each batch of metrics.
	MinWriteInterval time.Duration `mapstructure:"min_write_interval"`
	// SeriesExpiration is how long a series stays without a new data point; 0 keeps it for ever.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// MaxSeries is the most series in the table; further ones are dropped.
	MaxSeries int `mapstructure:"max_series"`
	// MaxColumns is the most label columns; series that need more are dropped.
	MaxColumns int `mapstructure:"max_columns"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// createDefaultConfig returns the defaults. There is no sending queue and no retry by default: a batch that could not be
// written goes back to the pipeline at once, so that nobody takes it for written.
func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.Enabled = false
	return &Config{
		TimeoutConfig:      exporterhelper.NewDefaultTimeoutConfig(),
		QueueConfig:        configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig:        retry,
		Path:               "./data/tasker-metrics.csv",
		Delimiter:          ",",
		TimestampFormat:    metrictable.TimeRFC3339Nano,
		FormulaGuard:       true,
		Histograms:         metrictable.ModeSummary,
		Quantiles:          []float64{0.5, 0.95, 0.99},
		ResourceAttributes: []string{"service.name", "service.namespace"},
		MinWriteInterval:   time.Second,
		SeriesExpiration:   24 * time.Hour,
		MaxSeries:          10_000,
		MaxColumns:         64,
	}
}

// Validate reports every mistake at once.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validatePath(),
		cfg.validateDelimiter(),
		oneOf("timestamp_format", cfg.TimestampFormat, metrictable.TimeFormats()),
		oneOf("histograms", cfg.Histograms, metrictable.Modes()),
		cfg.validateQuantiles(),
		cfg.validateResourceAttributes(),
		notNegative("min_write_interval", cfg.MinWriteInterval, "0s to write at each batch"),
		notNegative("series_expiration", cfg.SeriesExpiration, "0s to keep series for ever"),
		positive("max_series", cfg.MaxSeries),
		positive("max_columns", cfg.MaxColumns),
	)
}

func (cfg *Config) validatePath() error {
	if cfg.Path == "" {
		return errors.New("'path' is empty: give the file to write, such as ./data/tasker-metrics.csv")
	}
	if strings.HasSuffix(cfg.Path, "/") {
		return fmt.Errorf("'path' is %q, a directory: give a file in it, such as %stasker-metrics.csv", cfg.Path, cfg.Path)
	}
	return nil
}

func (cfg *Config) validateDelimiter() error {
	if r, size := utf8.DecodeRuneInString(cfg.Delimiter); size == len(cfg.Delimiter) && metrictable.ValidDelimiter(r) {
		return nil
	}
	return fmt.Errorf("'delimiter' is %q: give one character other than a quote or a line break, such as \",\", \";\" or \"\\t\"",
		cfg.Delimiter)
}

func (cfg *Config) validateQuantiles() error {
	var errs []error
	if len(cfg.Quantiles) == 0 && cfg.Histograms == metrictable.ModeQuantiles {
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
		return nil
	}
	return fmt.Errorf("'%s' is %s: give a positive duration, or %s", key, value, zero)
}

func positive(key string, value int) error {
	if value > 0 {
		return nil
	}
	return fmt.Errorf("'%s' is %d: give a number above 0", key, value)
}

// layout is the file's layout as configured; the config must be valid.
func (cfg *Config) layout() metrictable.Layout {
	delimiter, _ := utf8.DecodeRuneInString(cfg.Delimiter)
	return metrictable.Layout{
		ResourceColumns: slices.Clone(cfg.ResourceAttributes),
		Mode:            cfg.Histograms,
		Quantiles:       slices.Clone(cfg.Quantiles),
		Time:            cfg.TimestampFormat,
		Guard:           cfg.FormulaGuard,
		Delimiter:       delimiter,
	}
}
