// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Format is the form of the file.
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

// DefaultTarget is where a collector with the default configuration exposes its metrics.
const DefaultTarget = "http://localhost:8889/metrics"

// Stdout as the output means the standard output.
const Stdout = "-"

// Settings of an export. [DefaultSettings] gives working ones.
type Settings struct {
	Format Format
	// Output is the file, or Stdout. Beside a file stand OUTPUT.lock and OUTPUT.state.
	Output string
	// Targets as scrape.Targets reads them.
	Targets []string
	Merge   promset.MergeOptions
	Scrape  scrape.Settings
	// Table is the layout of FormatCSV.
	Table csvtable.Layout

	// AllowPartial writes what could be read when some targets can't.
	AllowPartial bool
	// AllowSameInstance adds up targets that are the same instance.
	AllowSameInstance bool
	// SeriesExpiry is how long the collector keeps a series without news; 0 if for ever.
	SeriesExpiry time.Duration
	// LockTimeout is how long to wait for another export to the same file.
	LockTimeout time.Duration
	// Deadline of the whole export; 0 for none.
	Deadline time.Duration
	// Concurrency is how many targets are read at a time.
	Concurrency int

	// Out is the standard output. Now and Resolver are for tests; nil means the real ones.
	Out      io.Writer
	Now      func() time.Time
	Resolver scrape.Resolver
}

// instanceLabels tell instances apart: the prometheus exporter makes the first of service.instance.id.
func instanceLabels() []string { return []string{"instance", "service_instance_id"} }

// defaultDropLabels are also those of the instrumentation scope: while instances are upgraded its version differs.
func defaultDropLabels() []string {
	return append(instanceLabels(), "otel_scope_name", "otel_scope_version", "otel_scope_schema_url")
}

// DefaultSettings are those of the command line.
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

// Validate names every setting that is wrong, as the flag of the command line, with a remedy.
func (s *Settings) Validate() error {
	all := []error{s.Scrape.Validate()}
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if !slices.Contains(Formats(), s.Format) {
		wrong("--format %q: it must be one of prometheus, openmetrics, json, csv", s.Format)
	}
	if s.Output == "" || strings.HasSuffix(s.Output, "/") {
		wrong("--output %q: give a file, or - for the standard output", s.Output)
	}
	if len(s.Targets) == 0 {
		wrong("--target: give at least one, such as %s", DefaultTarget)
	}
	if !slices.Contains(csvtable.Modes(), s.Table.Mode) {
		wrong("--histograms %q: it must be one of buckets, quantiles, summary", s.Table.Mode)
	}
	if !slices.Contains(csvtext.TimeFormats(), s.Table.Time) {
		wrong("--timestamp-format %q: it must be one of %s", s.Table.Time, csvtext.TimeFormats())
	}
	for _, q := range s.Table.Quantiles {
		if !(q >= 0 && q <= 1) {
			wrong("--quantiles %v: each must be a number from 0 to 1, such as 0.95", q)
		}
	}
	if !csvtext.ValidDelimiter(s.Table.Delimiter) {
		wrong("--delimiter: give one character other than a quote or a line break")
	}
	if s.SeriesExpiry < 0 {
		wrong("--series-expiry %s: it must be positive, or 0 if series never expire", s.SeriesExpiry)
	}
	if s.LockTimeout < 0 {
		wrong("--lock-timeout %s: it must be positive, or 0 to give up at once", s.LockTimeout)
	}
	if s.Deadline < 0 {
		wrong("--deadline %s: it must be positive, or 0 for none", s.Deadline)
	}
	if s.Concurrency < 1 {
		wrong("--concurrency %d: it must be at least 1", s.Concurrency)
	}
	return errors.Join(all...)
}
