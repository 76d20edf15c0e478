// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

// instance is a collector's metrics endpoint.
type instance struct {
	*httptest.Server
	mu     sync.Mutex
	id     string
	events int
	down   bool
	extra  string
}

func newInstance(t *testing.T, id string, events int) *instance {
	i := &instance{id: id, events: events}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *instance) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(w, `# TYPE tasker_events_total counter
tasker_events_total{instance=%[1]q,event="task.completed"} %[2]d
# TYPE tasker_tasks_active gauge
tasker_tasks_active{instance=%[1]q} 2
# TYPE tasker_task_duration_seconds histogram
tasker_task_duration_seconds_bucket{instance=%[1]q,le="1"} 1
tasker_task_duration_seconds_bucket{instance=%[1]q,le="+Inf"} %[2]d
tasker_task_duration_seconds_sum{instance=%[1]q} 8
tasker_task_duration_seconds_count{instance=%[1]q} %[2]d
%[3]s`, i.id, i.events, i.extra)
}

func (i *instance) set(change func(*instance)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

// settingsFor returns settings with short times for the instances and a controlled clock.
func settingsFor(t *testing.T, now *time.Time, instances ...*instance) Settings {
	s := DefaultSettings()
	s.Output = filepath.Join(t.TempDir(), "new", "metrics.out")
	s.Scrape.Backoff, s.Scrape.MaxBackoff, s.Scrape.Retries = time.Microsecond, time.Microsecond, 1
	s.Now = func() time.Time { return *now }
	s.Targets = nil
	for _, i := range instances {
		s.Targets = append(s.Targets, i.URL)
	}
	return s
}

func runExport(t *testing.T, s Settings) *Report {
	t.Helper()
	report, err := Run(t.Context(), s)
	require.NoError(t, err)
	var text, line bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	assert.Contains(t, text.String(), string(report.Status))
	require.NoError(t, report.WriteJSON(&line))
	assert.True(t, json.Valid(line.Bytes()))
	assert.Equal(t, 1, strings.Count(line.String(), "\n"))
	return report
}

func codes(r *Report) []string {
	list := []string{}
	for _, warning := range r.Warnings {
		list = append(list, warning.Code)
	}
	return list
}

func content(t *testing.T, s Settings) string {
	t.Helper()
	text, err := os.ReadFile(s.Output)
	require.NoError(t, err)
	return string(text)
}

func TestMerged(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := settingsFor(t, &now, newInstance(t, "a", 3), newInstance(t, "b", 4))
	report := runExport(t, s)
	assert.Equal(t, StatusWritten, report.Status)
	assert.Empty(t, report.Warnings)
	assert.Equal(t, 3, report.Series)
	assert.Equal(t, []string{"b"}, report.Targets[1].Instances)
	assert.Equal(t, `# TYPE tasker_events_total counter
tasker_events_total{event="task.completed"} 7
# TYPE tasker_task_duration_seconds histogram
tasker_task_duration_seconds_bucket{le="1"} 2
tasker_task_duration_seconds_bucket{le="+Inf"} 7
tasker_task_duration_seconds_sum 16
tasker_task_duration_seconds_count 7
# TYPE tasker_tasks_active gauge
tasker_tasks_active 4
# HELP tasker_export_targets Collectors that the export scraped.
# TYPE tasker_export_targets gauge
tasker_export_targets 2
# HELP tasker_export_targets_failed Collectors that the export failed to scrape.
# TYPE tasker_export_targets_failed gauge
tasker_export_targets_failed 0
# HELP tasker_export_timestamp_seconds When the export was made.
# TYPE tasker_export_timestamp_seconds gauge
tasker_export_timestamp_seconds 1.7803152e+09
# HELP tasker_export_warnings Warnings of the export, which are in its log.
# TYPE tasker_export_warnings gauge
tasker_export_warnings 0
`, content(t, s))
	files, err := os.ReadDir(filepath.Dir(s.Output))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	assert.Equal(t, []string{"metrics.out", "metrics.out.lock", "metrics.out.state"}, names)
}

func TestFormats(t *testing.T) {
	now := time.Unix(1, 0)
	s := settingsFor(t, &now, newInstance(t, "a", 3))
	for format, check := range map[Format]func(text string){
		FormatOpenMetrics: func(text string) {
			_, err := promset.Parse([]byte(text), "application/openmetrics-text")
			require.NoError(t, err)
			assert.Contains(t, text, "\ntasker_events_total{event=\"task.completed\"} 3.0\n")
		},
		FormatJSON: func(text string) { assert.True(t, json.Valid([]byte(text))) },
		FormatCSV: func(text string) {
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			require.NoError(t, err)
			assert.Equal(t, []string{"timestamp", "name", "type", "value", "quantile", "event"}, rows[0])
		},
	} {
		s.Format = format
		assert.Equal(t, StatusWritten, runExport(t, s).Status)
		check(content(t, s))
		var out bytes.Buffer
		toStdout := s
		toStdout.Output, toStdout.Out = Stdout, &out
		assert.Equal(t, StatusWritten, runExport(t, toStdout).Status)
		check(out.String())
	}
}

// TestOneTargetDown checks that nothing is written and the previous file remains, unless partial output is allowed.
func TestOneTargetDown(t *testing.T) {
	now := time.Unix(1, 0)
	a, b := newInstance(t, "a", 3), newInstance(t, "b", 4)
	s := settingsFor(t, &now, a, b)
	runExport(t, s)
	before := content(t, s)
	a.set(func(i *instance) { i.events = 5 })
	b.set(func(i *instance) { i.down = true })
	report := runExport(t, s)
	assert.Equal(t, StatusUnreachable, report.Status)
	assert.Contains(t, report.Error, "1 of 2 targets could not be read, nothing was written: "+b.URL)
	assert.Contains(t, report.Error, "503")
	assert.Equal(t, 2, report.Targets[1].Attempts)
	assert.Equal(t, before, content(t, s))

	s.AllowPartial = true
	report = runExport(t, s)
	assert.Equal(t, StatusIncomplete, report.Status)
	assert.Equal(t, []string{WarnTarget, WarnCounterBackwards}, codes(report))
	assert.Contains(t, content(t, s), `tasker_events_total{event="task.completed"} 5`)
	assert.Contains(t, content(t, s), "tasker_export_targets_failed 1\n")

	a.set(func(i *instance) { i.down = true })
	report = runExport(t, s)
	assert.Equal(t, StatusUnreachable, report.Status, "of nothing there is no part")
}

// nowhere is a resolver that resolves no name.
type nowhere struct{}

func (nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such\nhost")
}

// TestUnresolvedName checks that an unresolved target is reported as any other that cannot be read.
func TestUnresolvedName(t *testing.T) {
	now := time.Unix(1, 0)
	s := settingsFor(t, &now, newInstance(t, "a", 3))
	s.Targets = append(s.Targets, "dns+http://gone:8889")
	s.Resolver = nowhere{}
	report := runExport(t, s)
	assert.Equal(t, StatusUnreachable, report.Status)
	assert.Contains(t, report.Error, "1 of 2 targets could not be read, nothing was written: target \"dns+http://gone:8889\"")
	var text bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	assert.Equal(t, 1, strings.Count(text.String(), "\n"), "a reason is one line of a log")

	s.AllowPartial = true
	report = runExport(t, s)
	assert.Equal(t, StatusIncomplete, report.Status)
	assert.Equal(t, []string{WarnTarget}, codes(report))
	assert.Contains(t, content(t, s), "tasker_export_targets_failed 1\n")
}

// TestExportOfAnExport checks that the metrics of another export, exposed by a target, are not included.
func TestExportOfAnExport(t *testing.T) {
	now := time.Unix(1, 0)
	a := newInstance(t, "a", 3)
	s := settingsFor(t, &now, a)
	runExport(t, s)
	first := content(t, s)
	a.set(func(i *instance) { i.extra = "# TYPE tasker_export_targets gauge\ntasker_export_targets 9\n" })
	runExport(t, s)
	assert.Equal(t, first, content(t, s))
}

func TestComparedWithTheLastExport(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	a, b := newInstance(t, "a", 30), newInstance(t, "b", 4)
	s := settingsFor(t, &now, a, b)
	a.set(func(i *instance) { i.extra = "# TYPE x_total counter\nx_total 1\n" })
	assert.Empty(t, codes(runExport(t, s)))
	now = now.Add(5 * time.Minute)
	a.set(func(i *instance) { i.events = 31 })
	report := runExport(t, s)
	assert.Empty(t, codes(report))
	assert.Equal(t, now.Add(-5*time.Minute), *report.Previous)

	now = now.Add(25 * time.Hour)
	a.set(func(i *instance) { i.events, i.extra = 2, "" })
	report = runExport(t, s)
	assert.Equal(t, StatusWritten, report.Status)
	assert.Equal(t, []string{WarnLongInterval, WarnCounterBackwards, WarnSeriesGone}, codes(report))
	assert.Contains(t, report.Warnings[0].Message, "the last export was 25h0m0s ago, but a collector removes a series after 24h0m0s")
	assert.Contains(t, report.Warnings[1].Message, "2 counters went backwards")
	assert.Contains(t, report.Warnings[1].Message, "tasker_events_total{event=\"task.completed\"} from 35 to 6")
	assert.Contains(t, report.Warnings[1].Message, "a collector has restarted its counters under the same instance id")
	assert.Contains(t, report.Warnings[2].Message, "1 series of the last export are gone, such as x_total")

	a.set(func(i *instance) { i.id, i.events = "a2", 1 })
	report = runExport(t, s)
	assert.Equal(t, []string{WarnCounterBackwards}, codes(report))
	assert.Contains(t, report.Warnings[0].Message, "1 instances of the last export are gone (such as a)")
	assert.Empty(t, codes(runExport(t, s)), "each fall is reported once")

	require.NoError(t, os.WriteFile(s.Output+".state", []byte("{"), 0o600))
	report = runExport(t, s)
	assert.Equal(t, []string{WarnState}, codes(report))
	assert.Empty(t, codes(runExport(t, s)), "and is whole again")
	require.NoError(t, os.WriteFile(s.Output+".state", []byte(`{"version": 2}`), 0o600))
	assert.Equal(t, []string{WarnState}, codes(runExport(t, s)))
}

func TestContradictions(t *testing.T) {
	now := time.Unix(1, 0)
	a, twin := newInstance(t, "a", 3), newInstance(t, "a", 3)
	s := settingsFor(t, &now, a, twin)
	report := runExport(t, s)
	assert.Equal(t, StatusUnmergeable, report.Status)
	assert.Contains(t, report.Error, "are both instance a")
	assert.NoFileExists(t, s.Output)
	s.AllowSameInstance = true
	report = runExport(t, s)
	assert.Equal(t, StatusWritten, report.Status)
	assert.Equal(t, []string{WarnSameInstance}, codes(report))

	twin.set(func(i *instance) { i.id, i.extra = "b", "# TYPE x gauge\nx 1\n" })
	a.set(func(i *instance) { i.extra = "# TYPE x summary\nx_count 1\n" })
	report = runExport(t, s)
	assert.Equal(t, StatusUnmergeable, report.Status)
	assert.Contains(t, report.Error, "x is a summary")
}

func TestLocked(t *testing.T) {
	now := time.Unix(1, 0)
	s := settingsFor(t, &now, newInstance(t, "a", 3))
	runExport(t, s)
	lock, err := fsfile.TakeLock(t.Context(), s.Output+".lock", "the other one", 0)
	require.NoError(t, err)
	report := runExport(t, s)
	assert.Equal(t, StatusLocked, report.Status)
	assert.Contains(t, report.Error, "the other one")
	require.NoError(t, lock.Release())
	assert.Equal(t, StatusWritten, runExport(t, s).Status)
}

// TestManyAtOnce checks that concurrent exports each write a complete file, one after the other.
func TestManyAtOnce(t *testing.T) {
	now := time.Unix(1, 0)
	s := settingsFor(t, &now, newInstance(t, "a", 3), newInstance(t, "b", 4))
	s.LockTimeout = time.Minute
	reports := make([]*Report, 8)
	var done sync.WaitGroup
	for i := range reports {
		done.Go(func() { reports[i], _ = Run(t.Context(), s) })
	}
	done.Wait()
	for _, report := range reports {
		assert.Equal(t, StatusWritten, report.Status)
		assert.Empty(t, report.Warnings)
	}
	assert.Contains(t, content(t, s), `tasker_events_total{event="task.completed"} 7`)
}

func TestFailures(t *testing.T) {
	now := time.Unix(1, 0)
	a := newInstance(t, "a", 3)
	s := settingsFor(t, &now, a)
	s.Output = t.TempDir()
	report := runExport(t, s)
	assert.Equal(t, StatusFailed, report.Status)
	assert.Contains(t, report.Error, "is a directory")

	s = settingsFor(t, &now, a)
	s.Output, s.Out = Stdout, brokenPipe{}
	report = runExport(t, s)
	assert.Equal(t, StatusFailed, report.Status)
	assert.Equal(t, "broken pipe", report.Error)

	s = settingsFor(t, &now)
	s.Targets = []string{"dns+http://no-such-name.invalid"}
	assert.Equal(t, StatusUnreachable, runExport(t, s).Status)

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }))
	defer page.Close()
	s.Targets = []string{page.URL}
	report = runExport(t, s)
	assert.Equal(t, StatusUnreachable, report.Status)
	assert.Contains(t, report.Error, "the metrics are unreadable")

	empty := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer empty.Close()
	s.Targets = []string{empty.URL}
	assert.Equal(t, []string{WarnEmpty}, codes(runExport(t, s)))
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestSettingsAreChecked(t *testing.T) {
	s := DefaultSettings()
	s.Format, s.Output, s.Targets, s.Table.Mode, s.Table.Time, s.Table.Delimiter = "xml", "data/", nil, "x", "x", '"'
	s.SeriesExpiry, s.LockTimeout, s.Deadline, s.Concurrency, s.Scrape.Retries = -1, -1, -1, 0, -1
	s.Table.Quantiles = []float64{0.5, 95}
	_, err := Run(t.Context(), s)
	for _, flag := range []string{"--quantiles[1]: 95", "--format", "--output", "--target", "--histograms", "--timestamp-format", "--delimiter",
		"--series-expiry", "--lock-timeout", "--deadline", "--concurrency", "--retries"} {
		assert.ErrorContains(t, err, flag)
	}
	s = DefaultSettings()
	s.Targets = []string{"ftp://x"}
	_, err = Run(t.Context(), s)
	assert.ErrorContains(t, err, "not an HTTP address")
	assert.True(t, slices.Contains(Formats(), DefaultSettings().Format))
}
