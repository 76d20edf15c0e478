// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Format is the file format.
type Format string

// The formats.
const (
	FormatPrometheus  Format = "prometheus"
	FormatOpenMetrics Format = "openmetrics"
	FormatJSON        Format = "json"
	FormatCSV         Format = "csv"
)

// Formats returns all formats.
func Formats() []Format { return []Format{FormatPrometheus, FormatOpenMetrics, FormatJSON, FormatCSV} }

// DefaultTarget is the metrics address of a collector with the default configuration.
const DefaultTarget = "http://localhost:8889/metrics"

// Stdout as the output means standard output.
const Stdout = "-"

// Settings of an export. Start from [DefaultSettings].
type Settings struct {
	Format Format
	// Output is a file, or Stdout. OUTPUT.lock and OUTPUT.state are created beside a file.
	Output string
	// Targets have the syntax of scrape.Targets.
	Targets []string
	Merge   promset.MergeOptions
	Scrape  scrape.Settings
	// Table is the layout of FormatCSV.
	Table csvtable.Layout

	// AllowPartial writes an incomplete file if some targets cannot be read.
	AllowPartial bool
	// AllowSameInstance adds the values of targets that are the same instance.
	AllowSameInstance bool
	// SeriesExpiry is how long the collector keeps a series without updates; 0 means forever.
	SeriesExpiry time.Duration
	// LockTimeout is how long to wait for another export to the same file.
	LockTimeout time.Duration
	// Deadline of the whole export; 0 for none.
	Deadline time.Duration
	// Concurrency is the number of targets to read concurrently.
	Concurrency int

	// Out is standard output. Now and Resolver are for tests; nil means the real ones.
	Out      io.Writer
	Now      func() time.Time
	Resolver scrape.Resolver
}

// instanceLabels identify instances: the prometheus exporter makes the first one from service.instance.id.
func instanceLabels() []string { return []string{"instance", "service_instance_id"} }

// defaultDropLabels include those of the instrumentation scope, whose version differs between instances during an upgrade.
func defaultDropLabels() []string {
	return append(instanceLabels(), "otel_scope_name", "otel_scope_version", "otel_scope_schema_url")
}

// DefaultSettings returns the defaults of the command line.
func DefaultSettings() Settings {
	return Settings{
		Format: FormatPrometheus, Output: Stdout, Targets: []string{DefaultTarget},
		Merge:  promset.MergeOptions{DropLabels: defaultDropLabels(), Rules: promset.DefaultRules()},
		Scrape: scrape.DefaultSettings(),
		Table: csvtable.Layout{
			Mode: csvtable.ModeSummary, Quantiles: []float64{0.5, 0.95, 0.99},
			Style: csvtext.Style{Time: csvtext.TimeRFC3339Nano, Guard: true}, Delimiter: ',',
		},
		SeriesExpiry: 24 * time.Hour, Deadline: time.Minute, Concurrency: 8,
	}
}

// Validate reports every invalid setting by its flag, with a remedy.
func (s *Settings) Validate() error {
	all := []error{
		s.Scrape.Validate(),
		configerr.OneOf("--format", s.Format, Formats()...),
		configerr.OneOf("--histograms", s.Table.Mode, csvtable.Modes()...),
		configerr.OneOf("--timestamp-format", s.Table.Time, csvtext.TimeFormats()...),
		configerr.OrZero("--series-expiry", s.SeriesExpiry, "if series never expire"),
		configerr.OrZero("--lock-timeout", s.LockTimeout, "to give up at once"),
		configerr.OrZero("--deadline", s.Deadline, "for none"),
		configerr.AtLeast("--concurrency", s.Concurrency, 1),
	}
	if s.Output == "" || strings.HasSuffix(s.Output, "/") {
		all = append(all, configerr.New("--output", s.Output, "is not a file", "use one, or - for the standard output"))
	}
	if len(s.Targets) == 0 {
		all = append(all, configerr.New("--target", nil, "is missing", "use at least one, such as "+DefaultTarget))
	}
	for i, q := range s.Table.Quantiles {
		all = append(all, configerr.InRange(configerr.Index("--quantiles", i), q, 0, 1))
	}
	if !csvtext.ValidDelimiter(s.Table.Delimiter) {
		all = append(all, configerr.New("--delimiter", string(s.Table.Delimiter), "is a quote or a line break", `use another character, such as ","`))
	}
	return errors.Join(all...)
}
