// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// Run exports once. The error reports invalid settings; everything else is in the report.
func Run(ctx context.Context, settings Settings) (*Report, error) {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	if settings.Resolver == nil {
		settings.Resolver = net.DefaultResolver
	}
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	client, err := scrape.New(settings.Scrape)
	if err != nil {
		return nil, err
	}
	if settings.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, settings.Deadline, fmt.Errorf("the deadline of %s has passed", settings.Deadline))
		defer cancel()
	}
	r := &Report{Format: settings.Format, Output: settings.Output, At: settings.Now(), Warnings: []Warning{}, Targets: []TargetReport{}}
	e := exporting{settings: settings, client: client, report: r}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	r.Seconds = settings.Now().Sub(r.At).Seconds()
	return r, nil
}

type exporting struct {
	settings Settings
	client   *scrape.Client
	report   *Report
}

func (e *exporting) toFile() bool { return e.settings.Output != Stdout }

// run holds the lock from the first request until the state is written, so that the last one to write was the last one to
// read.
func (e *exporting) run(ctx context.Context) error {
	file := fsfile.Atomic{Path: e.settings.Output}
	if e.toFile() {
		if err := file.PrepareDirectory(); err != nil {
			e.report.fail(StatusFailed, err)
			return nil
		}
		note := fmt.Sprintf("process %d since %s", os.Getpid(), e.report.At.Format(time.RFC3339))
		lock, err := fsfile.TakeLock(ctx, e.settings.Output+".lock", note, e.settings.LockTimeout)
		if errors.Is(err, fsfile.ErrLocked) {
			e.report.fail(StatusLocked, fmt.Errorf("another export writes %s: %w", e.settings.Output, err))
			return nil
		}
		if err != nil {
			e.report.fail(StatusFailed, err)
			return nil
		}
		defer func() { _ = lock.Release() }() // the kernel releases it when the process ends
		if err := file.Prepare(); err != nil {
			e.report.fail(StatusFailed, err)
			return nil
		}
	}
	targets, unresolved, err := scrape.Targets(ctx, e.settings.Resolver, e.settings.Targets)
	if err != nil {
		return err
	}
	sources := e.read(ctx, targets)
	for _, lookup := range unresolved {
		e.report.Targets = append(e.report.Targets, TargetReport{URL: lookup.Spec, Error: lookup.Error()})
	}
	all := len(e.report.Targets)
	if failed := all - len(sources); failed > 0 && (!e.settings.AllowPartial || len(sources) == 0) {
		remedy := "check that it is running, and --target"
		if len(sources) > 0 {
			remedy += "; --allow-partial writes the others"
		}
		e.report.fail(StatusUnreachable, fmt.Errorf("%d of %d targets could not be read, nothing was written: %s; %s",
			failed, all, e.firstError(), remedy))
		return nil
	}
	families, ok := e.merge(sources)
	if !ok {
		return nil
	}
	e.write(file, families)
	return nil
}

// read scrapes all targets and returns the results in the order of the targets.
func (e *exporting) read(ctx context.Context, targets []scrape.Target) []promset.Source {
	e.report.Targets = make([]TargetReport, len(targets))
	found := make([]*promset.Source, len(targets))
	slots := make(chan struct{}, e.settings.Concurrency)
	var done sync.WaitGroup
	for i, target := range targets {
		slots <- struct{}{}
		done.Go(func() {
			defer func() { <-slots }()
			found[i] = e.readOne(ctx, target, &e.report.Targets[i])
		})
	}
	done.Wait()
	var sources []promset.Source
	for _, source := range found {
		if source != nil {
			sources = append(sources, *source)
		}
	}
	return sources
}

func (e *exporting) readOne(ctx context.Context, target scrape.Target, report *TargetReport) *promset.Source {
	report.URL, report.Address = endpoint.Public(target.URL), target.Address
	answer, err := e.client.Get(ctx, target, promset.Accept)
	report.Attempts = answer.Attempts
	if err != nil {
		report.Error = err.Error()
		return nil
	}
	families, err := promset.Parse(answer.Body, answer.ContentType)
	if err != nil {
		report.Error = fmt.Sprintf("%s: %v", target, err)
		return nil
	}
	report.Series = promset.Series(families)
	report.Instances = instancesOf(families, instanceLabels())
	return &promset.Source{Name: target.String(), Families: families}
}

// instancesOf returns the values of the labels that identify instances.
func instancesOf(families []*dto.MetricFamily, labels []string) []string {
	found := map[string]bool{}
	for _, f := range families {
		for _, m := range f.Metric {
			for _, pair := range m.Label {
				if slices.Contains(labels, pair.GetName()) {
					found[pair.GetValue()] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (e *exporting) firstError() string {
	for _, target := range e.report.Targets {
		if target.Error != "" {
			return target.Error
		}
	}
	return ""
}

// merge merges the sources and adds the export's own metrics. If ok is false the report has the reason.
func (e *exporting) merge(sources []promset.Source) (families []*dto.MetricFamily, ok bool) {
	if err := e.checkInstances(); err != nil {
		e.report.fail(StatusUnmergeable, err)
		return nil, false
	}
	families, warnings, err := promset.Merge(sources, e.settings.Merge)
	if err != nil {
		e.report.fail(StatusUnmergeable, err)
		return nil, false
	}
	for _, warning := range warnings {
		e.report.warn(WarnMerge, "%s", warning)
	}
	for _, target := range e.report.Targets {
		if target.Error != "" {
			e.report.warn(WarnTarget, "%s", target.Error)
		}
	}
	families = withoutOwn(families)
	e.report.Metrics, e.report.Series = len(families), promset.Series(families)
	if e.report.Series == 0 {
		e.report.warn(WarnEmpty, "the targets have no metrics yet")
	}
	return families, true
}

// checkInstances rejects targets that are the same instance, such as its own address and a load balancer's, whose values
// would be counted twice.
func (e *exporting) checkInstances() error {
	owner := map[string]string{}
	for _, target := range e.report.Targets {
		name := scrape.Target{URL: target.URL, Address: target.Address}.String()
		for _, instance := range target.Instances {
			other, known := owner[instance]
			switch {
			case !known:
				owner[instance] = name
			case e.settings.AllowSameInstance:
				e.report.warn(WarnSameInstance, "%s and %s are both instance %s; their values were added", other, name, instance)
			default:
				return fmt.Errorf("%s and %s are both instance %s, whose values would be counted twice: remove one, give each "+
					"collector its own service.instance.id, or use --allow-same-instance", other, name, instance)
			}
		}
	}
	return nil
}

// write writes the output and the state for the next export.
func (e *exporting) write(file fsfile.Atomic, families []*dto.MetricFamily) {
	r := e.report
	now := &state{Version: stateVersion, ExportedAt: r.At, Counters: countersOf(families)}
	for _, target := range r.Targets {
		now.Instances = append(now.Instances, target.Instances...)
	}
	slices.Sort(now.Instances)
	now.Instances = slices.Compact(now.Instances)
	if e.toFile() {
		before, err := readState(e.settings.Output)
		if err != nil {
			r.warn(WarnState, "the state of the last export is unknown, so counter resets are not detected this time: %v", err)
		}
		if before != nil {
			r.Previous = &before.ExportedAt
			r.compare(before, now, e.settings.SeriesExpiry)
		}
	}
	content, err := e.render(append(families, e.ownMetrics()...))
	if err != nil {
		r.fail(StatusFailed, err)
		return
	}
	r.Bytes = int64(len(content))
	copyOut := func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
	if !e.toFile() {
		err = copyOut(e.settings.Out)
	} else if err = file.Replace(copyOut); err == nil {
		if stateErr := now.write(e.settings.Output); stateErr != nil {
			r.warn(WarnState, "the state for the next export could not be written: %v", stateErr)
		}
	}
	if err != nil {
		r.fail(StatusFailed, err)
		return
	}
	r.Status = StatusWritten
	if r.read() < len(r.Targets) {
		r.Status = StatusIncomplete
	}
}

// render renders in memory, so that an error does not leave partial output on standard output.
func (e *exporting) render(families []*dto.MetricFamily) ([]byte, error) {
	var content bytes.Buffer
	var err error
	switch e.settings.Format {
	case FormatPrometheus:
		err = promset.WriteText(&content, families)
	case FormatOpenMetrics:
		err = promset.WriteOpenMetrics(&content, families)
	case FormatJSON:
		err = promset.WriteJSON(&content, families, e.report.At)
	case FormatCSV:
		err = promset.WriteCSV(&content, families, e.report.At, e.settings.Table)
	}
	return content.Bytes(), err
}

// ownMetrics report how old and how complete the file is.
func (e *exporting) ownMetrics() []*dto.MetricFamily {
	r := e.report
	return []*dto.MetricFamily{
		gauge(ownPrefix+"targets", "Collectors that the export scraped.", float64(len(r.Targets))),
		gauge(ownPrefix+"targets_failed", "Collectors that the export failed to scrape.", float64(len(r.Targets)-r.read())),
		gauge(ownPrefix+"timestamp_seconds", "When the export was made.", float64(r.At.UnixMilli())/1000),
		gauge(ownPrefix+"warnings", "Warnings of the export, which are in its log.", float64(len(r.Warnings))),
	}
}

// ownPrefix is the prefix of ownMetrics.
const ownPrefix = "tasker_export_"

// withoutOwn removes the metrics of another export that a target exposes, whose names would be duplicates.
func withoutOwn(families []*dto.MetricFamily) []*dto.MetricFamily {
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return strings.HasPrefix(f.GetName(), ownPrefix) })
}

func gauge(name, help string, value float64) *dto.MetricFamily {
	return &dto.MetricFamily{
		Name: new(name), Help: new(help), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(value)}}},
	}
}
