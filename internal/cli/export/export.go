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
	"google.golang.org/protobuf/proto"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/atomicfile"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile/filelock"
)

// Run exports once. The error is a mistake in the settings; everything else is in the report.
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
		ctx, cancel = context.WithTimeoutCause(ctx, settings.Deadline, fmt.Errorf("the deadline of %s is over", settings.Deadline))
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

// run holds the lock from before the first request until the state is written: what is written last was also read last.
func (e *exporting) run(ctx context.Context) error {
	file := atomicfile.File{Path: e.settings.Output}
	if e.toFile() {
		if err := file.PrepareDirectory(); err != nil {
			e.report.fail(StatusFailed, err)
			return nil
		}
		note := fmt.Sprintf("process %d since %s", os.Getpid(), e.report.At.Format(time.RFC3339))
		lock, err := filelock.Take(ctx, e.settings.Output+".lock", note, e.settings.LockTimeout)
		if errors.Is(err, filelock.ErrHeld) {
			e.report.fail(StatusLocked, fmt.Errorf("another export writes %s: %w", e.settings.Output, err))
			return nil
		}
		if err != nil {
			e.report.fail(StatusFailed, err)
			return nil
		}
		defer func() { _ = lock.Release() }() // the kernel does it at the end of the process at the latest
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
		remedy := "check that it runs, and --target"
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

// read reads all targets and returns what could be read, in the order of the targets.
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

// instancesOf returns the values of the labels that tell instances apart.
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

// merge makes one set, with the numbers of the export itself. ok is false when the report says why there is none.
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

// checkInstances refuses targets that are the same instance, such as an address of its own and one behind a balancer: its
// numbers would count twice.
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
				e.report.warn(WarnSameInstance, "%s and %s are both instance %s; their numbers were added", other, name, instance)
			default:
				return fmt.Errorf("%s and %s are both instance %s, and its numbers would count twice: remove one, give each "+
					"collector a service.instance.id of its own, or use --allow-same-instance", other, name, instance)
			}
		}
	}
	return nil
}

// write writes the output and what the next export wants to know.
func (e *exporting) write(file atomicfile.File, families []*dto.MetricFamily) {
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
			r.warn(WarnState, "nothing is known of the last export, so falling counters go unnoticed this time: %v", err)
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
			r.warn(WarnState, "the next export will know nothing of this one: %v", stateErr)
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

// render makes the content in memory: a set that can't be written must not leave half a file on the standard output.
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

// ownMetrics let whoever reads the file see how old and how complete it is.
func (e *exporting) ownMetrics() []*dto.MetricFamily {
	r := e.report
	return []*dto.MetricFamily{
		gauge(ownPrefix+"targets", "Collectors that the export asked.", float64(len(r.Targets))),
		gauge(ownPrefix+"targets_failed", "Collectors that the export could not read.", float64(len(r.Targets)-r.read())),
		gauge(ownPrefix+"timestamp_seconds", "When the export was made.", float64(r.At.UnixMilli())/1000),
		gauge(ownPrefix+"warnings", "Warnings of the export; its log has them.", float64(len(r.Warnings))),
	}
}

// ownPrefix begins the names of ownMetrics.
const ownPrefix = "tasker_export_"

// withoutOwn leaves out what an export before this one wrote, if a target exposes that: its name would be there twice.
func withoutOwn(families []*dto.MetricFamily) []*dto.MetricFamily {
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return strings.HasPrefix(f.GetName(), ownPrefix) })
}

func gauge(name, help string, value float64) *dto.MetricFamily {
	return &dto.MetricFamily{
		Name: proto.String(name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(value)}}},
	}
}
