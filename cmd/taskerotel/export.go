// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/export"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Exit statuses of export.
const (
	exitUnreachable = 3
	exitIncomplete  = 4
	exitLocked      = 5
	exitUnmergeable = 6
	exitWarned      = 7
)

// Values of the flag --report.
const (
	reportText = "text"
	reportJSON = "json"
	reportNone = "none"
)

// exportFlags are the flags of export.
type exportFlags struct {
	settings                export.Settings
	scrape                  scrapeFlags
	format, histograms      string
	timestamps, delimiter   string
	targetsFile, report     string
	rules, config           []string
	strict, noFormulaGuards bool
	verbose                 bool
}

func newExport(s streams) *cobra.Command {
	f := exportFlags{settings: export.DefaultSettings(), scrape: newScrapeFlags()}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the metrics of collectors to one file",
		Long: `export scrapes the metrics endpoints of one or more collectors, merges the metrics and writes them to one file. A
scheduler (cron, a systemd timer, a Kubernetes CronJob) runs it; it exports once and exits.

Counters are added, histograms are added bucket by bucket, and gauges follow --gauge: by default most are added.
The labels of instances and of instrumentation scopes are dropped (--drop-label). --target may be repeated: a URL, or
dns+URL for every instance behind the name.

The file is replaced atomically: its readers see the last export or this one. OUTPUT.lock beside it keeps two exports
from writing concurrently; the system unlocks it when the process ends, so a leftover file is harmless.
OUTPUT.state has the counters of the last export, by which the next one detects counters that went backwards. With
--config it warns if the last export is older than the time after which the collector removes a series.

If a target cannot be read nothing is written, because a partial sum would look like a decrease; --allow-partial
writes the others. The result is written to standard output, or to standard error if the metrics are written to
standard output. An error is written to standard error, unless --report json includes it in the result.

Without --format the environment's METRICS_FORMAT counts, and VERBOSE=true is --verbose: schedules of Tasker's rake
tasks keep what they set.

Exit status:
  0  written
  1  a file could not be read or written
  2  a mistake in the command line
  3  a target could not be read, nothing was written
  4  written, but without the targets that could not be read (--allow-partial)
  5  another export is writing the file
  6  the targets contradict each other, nothing was written
  7  written, with warnings (--strict)`,
		Example: `  taskerotel export
  taskerotel export --format csv --output /var/lib/tasker/metrics.csv
  taskerotel export --format json --target dns+http://collectors:8889/metrics --output metrics.json --report json
  taskerotel export --targets-file collectors.txt --gauge 'queue_depth=max' --strict --output metrics.prom`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.environment(s.getenv, cmd.Flags().Changed); err != nil {
				return usageError{err}
			}
			return f.run(cmd.Context(), s, cmd.Flags().Changed)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", string(f.settings.Format), "prometheus, openmetrics, json or csv")
	flags.StringVarP(&f.settings.Output, "output", "o", f.settings.Output, "the `file` to replace; - is standard output")
	flags.StringArrayVar(&f.settings.Targets, "target", f.settings.Targets, "the `URL` of a metrics endpoint, or dns+URL; may be repeated")
	flags.StringVar(&f.targetsFile, "targets-file", "", "a `file` of targets: one per line, or in Prometheus' file_sd format")
	flags.StringArrayVar(&f.rules, "gauge", nil, "a `NAME=POLICY` for gauges (* matches any run of characters): sum, max, min, avg or drop; may be repeated")
	flags.StringSliceVar(&f.settings.Merge.DropLabels, "drop-label", f.settings.Merge.DropLabels, "`labels` to drop before merging")
	flags.Lookup("drop-label").DefValue = strings.Join(f.settings.Merge.DropLabels, ", ") // with spaces, so that the help can be wrapped
	flags.BoolVar(&f.settings.AllowPartial, "allow-partial", false, "write the others if some targets cannot be read")
	flags.BoolVar(&f.settings.AllowSameInstance, "allow-same-instance", false, "add the values of targets with the same instance id")
	flags.BoolVar(&f.strict, "strict", false, "exit with status 7 if there are warnings")
	flags.StringVar(&f.report, "report", reportText, "how to report the result: text, json or none")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "with --report text, a line per target with what was read or the complete error")
	flags.DurationVar(&f.settings.SeriesExpiry, "series-expiry", f.settings.SeriesExpiry,
		"after which a collector removes a series (the lesser of metric_expiration and series_expiration); 0 if never")
	flags.StringArrayVar(&f.config, "config", nil, "the collector's configuration `file`, instead of --series-expiry; may be repeated")
	flags.DurationVar(&f.settings.LockTimeout, "lock-timeout", 0, "how long to wait for another export to the same file")
	flags.DurationVar(&f.settings.Deadline, "deadline", f.settings.Deadline, "the time limit of the whole export; 0 for none")
	flags.IntVar(&f.settings.Concurrency, "concurrency", f.settings.Concurrency, "targets to read concurrently")
	flags.StringVar(&f.histograms, "histograms", string(f.settings.Table.Mode), "rows of a histogram in csv: summary, quantiles or buckets")
	flags.Float64SliceVar(&f.settings.Table.Quantiles, "quantiles", f.settings.Table.Quantiles, "`quantiles` estimated in csv")
	flags.StringVar(&f.timestamps, "timestamp-format", string(f.settings.Table.Time), "in csv: rfc3339nano, rfc3339, datetime, unix, unix_ms or unix_ns")
	flags.StringVar(&f.delimiter, "delimiter", string(f.settings.Table.Delimiter), "the character between cells in csv")
	flags.BoolVar(&f.noFormulaGuards, "no-formula-guard", false, "in csv: do not protect text that a spreadsheet would evaluate")
	f.scrape.register(flags)
	return cmd
}

func (f *exportFlags) run(ctx context.Context, s streams, given func(flag string) bool) error {
	if err := f.complete(ctx, given); err != nil {
		return usageError{err}
	}
	f.settings.Out = s.out
	report, err := export.Run(ctx, f.settings)
	if err != nil {
		return usageError{err}
	}
	status := f.exitStatus(report)
	report.ExitCode = status
	to := s.out
	if f.settings.Output == export.Stdout || f.report == reportText && !report.Written() {
		to = s.err
	}
	switch f.report {
	case reportText:
		if err = report.WriteText(to); err == nil && f.verbose {
			err = report.WriteTargets(to)
		}
	case reportJSON:
		err = report.WriteJSON(to)
	}
	if err == nil && status != exitOK {
		return exitStatus(status)
	}
	return err
}

// environment sets flags that are not given from the variables of Tasker's rake tasks.
func (f *exportFlags) environment(getenv func(string) string, given func(flag string) bool) error {
	if format := getenv("METRICS_FORMAT"); format != "" && !given("format") {
		if err := configerr.OneOf("METRICS_FORMAT", export.Format(format), export.Formats()...); err != nil {
			return err
		}
		f.format = format
	}
	if verbose := getenv("VERBOSE"); verbose != "" && !given("verbose") {
		on, err := strconv.ParseBool(verbose)
		if err != nil {
			return configerr.New("VERBOSE", verbose, "is not a switch", "use true or false")
		}
		f.verbose = on
	}
	return nil
}

// complete builds the settings from flags, and reports all mistakes that the settings cannot represent.
func (f *exportFlags) complete(ctx context.Context, given func(flag string) bool) error {
	f.settings.Format = export.Format(f.format)
	f.settings.Table.Mode = csvtable.Mode(f.histograms)
	f.settings.Table.Time = csvtext.TimeFormat(f.timestamps)
	f.settings.Table.Guard = !f.noFormulaGuards
	var all []error
	r, size := utf8.DecodeRuneInString(strings.ReplaceAll(f.delimiter, `\t`, "\t"))
	if size == 0 || size < len(strings.ReplaceAll(f.delimiter, `\t`, "\t")) {
		all = append(all, configerr.New("--delimiter", f.delimiter, "is not one character", `use one such as ",", ";" or "\t"`))
	}
	f.settings.Table.Delimiter = r
	var rules []promset.Rule
	for _, text := range f.rules {
		rule, err := promset.ParseRule("--gauge", text)
		if err != nil {
			all = append(all, err)
		}
		rules = append(rules, rule)
	}
	f.settings.Merge.Rules = append(rules, f.settings.Merge.Rules...)
	all = append(all, configerr.OneOf("--report", f.report, reportText, reportJSON, reportNone))
	if f.targetsFile != "" {
		specs, err := scrape.ReadFile(f.targetsFile)
		if err != nil {
			all = append(all, fmt.Errorf("--targets-file: %w", err))
		}
		if given("target") {
			specs = append(f.settings.Targets, specs...)
		}
		f.settings.Targets = specs
	}
	if len(f.config) > 0 && !given("series-expiry") {
		expiry, err := configuredExpiry(ctx, f.config)
		if err != nil {
			all = append(all, fmt.Errorf("--config: %w", err))
		}
		f.settings.SeriesExpiry = expiry
	}
	var err error
	f.settings.Scrape, err = f.scrape.scrapeSettings()
	return errors.Join(append(all, err)...)
}

// configuredExpiry returns after how long a collector with the configuration removes a series.
func configuredExpiry(ctx context.Context, files []string) (time.Duration, error) {
	conf, err := collectorconfig.Load(ctx, files)
	if err != nil {
		return 0, err
	}
	return export.SeriesExpiryOf(conf)
}

func (f *exportFlags) exitStatus(report *export.Report) int {
	switch report.Status {
	case export.StatusWritten:
		if f.strict && len(report.Warnings) > 0 {
			return exitWarned
		}
		return exitOK
	case export.StatusUnreachable:
		return exitUnreachable
	case export.StatusIncomplete:
		return exitIncomplete
	case export.StatusLocked:
		return exitLocked
	case export.StatusUnmergeable:
		return exitUnmergeable
	}
	return exitFailed
}
