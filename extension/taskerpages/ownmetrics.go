// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// ownMetrics caches the collector's internal metrics, which are read when a page needs them.
type ownMetrics struct {
	address string
	client  http.Client

	mu       sync.Mutex
	readings []reading // of the last 15 minutes, latest last
	err      error
	tried    time.Time
}

// reading is the internal metrics at a time.
type reading struct {
	at     time.Time
	series []ownmetrics.Series
}

const (
	ownMetricsEvery = 5 * time.Second
	ownMetricsKept  = 15 * time.Minute
	// maxOwnMetrics is the maximum size of the response in bytes.
	maxOwnMetrics  = 16 << 20
	ownMetricsWait = 2 * time.Second
)

var errNotRead = errors.New("the collector's internal metrics are not read: set 'own_metrics' of tasker_pages to their address")

// refresh reads the metrics unless they are recent.
func (o *ownMetrics) refresh(ctx context.Context, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.tried) < ownMetricsEvery {
		return
	}
	o.tried = now
	if o.address == "" {
		o.err = errNotRead
		return
	}
	series, err := o.read(ctx)
	if o.err = err; err != nil {
		return
	}
	o.readings = append(o.readings, reading{now, series})
	for len(o.readings) > 1 && now.Sub(o.readings[0].at) > ownMetricsKept {
		o.readings = o.readings[1:]
	}
}

func (o *ownMetrics) read(ctx context.Context) ([]ownmetrics.Series, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ownMetricsWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	response, err := o.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", o.address, response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(response.Body, maxOwnMetrics))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.address, err)
	}
	return ownmetrics.Read(maps.Values(families)), nil
}

// loss is a counter of lost, refused or altered data.
type loss struct {
	Metric  string `json:"metric"`
	Labels  string `json:"labels"`
	Count   int64  `json:"count"`
	Lately  int64  `json:"last_15_minutes"`
	Meaning string `json:"meaning,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
	Severe  bool   `json:"severe"`
}

// exporter is the state of an exporter for one signal.
type exporter struct {
	Exporter string    `json:"exporter"`
	Signal   string    `json:"signal"`
	Sent     int64     `json:"sent"`
	Failed   int64     `json:"failed"`
	Queue    int64     `json:"queue"`
	Capacity int64     `json:"queue_capacity"`
	Success  time.Time `json:"last_success,omitzero"`
	Failure  time.Time `json:"last_failure,omitzero"`
	Problem  string    `json:"problem,omitempty"`
	Remedy   string    `json:"remedy,omitempty"`
}

// report is what the internal metrics show.
type report struct {
	Losses    []loss
	Exporters []exporter
	Err       error
}

func (o *ownMetrics) report(now time.Time) report {
	o.mu.Lock()
	readings, err := o.readings, o.err
	o.mu.Unlock()
	if err != nil || len(readings) == 0 {
		return report{Err: err}
	}
	first, last := readings[0], readings[len(readings)-1]
	return report{Losses: losses(first.series, last.series), Exporters: exporters(last.series, now)}
}

func losses(before, now []ownmetrics.Series) []loss {
	key := func(s *ownmetrics.Series) string { return s.Name + "\x00" + pairs(s.Labels) }
	earlier := map[string]float64{}
	for _, s := range before {
		earlier[key(&s)] = s.Value
	}
	var list []loss
	for _, s := range now {
		if !s.Loses() {
			continue
		}
		l := loss{Metric: s.Name, Labels: pairs(s.Labels), Count: int64(s.Value), Lately: int64(s.Value - earlier[key(&s)])}
		for _, e := range explanations {
			if strings.HasPrefix(s.Name, e.metric) && (e.reason == "" || e.reason == s.Labels["reason"] || e.reason == s.Labels["decision"]) {
				l.Meaning, l.Remedy, l.Severe = e.meaning, e.remedy, e.severe
				break
			}
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b loss) int {
		return cmp.Or(compareBools(b.Severe, a.Severe), cmp.Compare(b.Lately, a.Lately), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Labels, b.Labels))
	})
	return list
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func pairs(labels map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		list = append(list, k+" "+labels[k])
	}
	return strings.Join(list, ", ")
}

// silentFor is how long an exporter with queued data may send nothing before it is considered lagging.
const silentFor = time.Minute

func exporters(series []ownmetrics.Series, now time.Time) []exporter {
	var list []exporter
	for _, e := range ownmetrics.Exporters(series) {
		problem, remedy := problemOf(&e, now)
		list = append(list, exporter{e.Exporter, e.Signal, e.Sent, e.Failed, e.QueueSize, e.QueueCapacity, e.LastSuccess, e.LastFailure, problem, remedy})
	}
	return list
}

// nearlyFull is the fill level from which a queue is reported.
const nearlyFull = 0.5

// problemOf returns the problem of an exporter, if it has one.
func problemOf(e *ownmetrics.Exporter, now time.Time) (problem, remedy string) {
	full := 0.0
	if e.QueueCapacity > 0 {
		full = float64(e.QueueSize) / float64(e.QueueCapacity)
	}
	const look = "Check that its backend is up and accepts the data. The collector's log has its responses."
	switch {
	case e.FailedLast():
		return fmt.Sprintf("dropped %d items, and nothing has been sent since", e.Failed),
			look + " With retry_on_failure::max_elapsed_time: 0s nothing is dropped."
	case e.QueueSize > 0 && !e.LastSuccess.IsZero() && now.Sub(e.LastSuccess) > silentFor:
		return fmt.Sprintf("%d requests wait, and nothing has been sent for %s", e.QueueSize, words(now.Sub(e.LastSuccess))),
			fmt.Sprintf("%s The queue is %.0f %% full; when it is full, events are refused and senders retry.", look, full*100)
	case full >= nearlyFull:
		return fmt.Sprintf("is slower than its input: its queue is %.0f %% full", full*100),
			"Raise sending_queue::num_consumers, or give the backend more capacity."
	}
	return "", ""
}

// explanations describe losses and remedies; the first match is used.
var explanations = []struct {
	metric, reason  string
	meaning, remedy string
	severe          bool
}{
	{"receiver_tasker_events_refused_items", "", "items that are not events were refused", "The response to the sender names each with its field, reason and remedy.", true},
	{"receiver_tasker_events_refused_requests", "", "requests were refused", "Senders retry after 429 and 503; check the components after the receiver.", true},
	{"receiver_refused_log_records", "", "events were refused, and senders retry", "Check memory, the storage, and exporters that lag.", true},
	{"processor_refused", "", "data was refused because of memory_limiter, and senders retry", "Give the collector more memory, or raise memory_limiter.", true},
	{"processor_memory_limiter_refused", "", "data was refused because of memory_limiter, and senders retry", "Give the collector more memory, or raise memory_limiter.", true},
	{"processor_event_router_dropped", "duplicate", "duplicate events were dropped", "Nothing: senders retry.", false},
	{"processor_event_router_dropped", "no_route", "events without a route were dropped", "Give them a route, or set default_signals: see Routes.", false},
	{"processor_event_router_dropped", "disabled", "events were dropped by their route", "Nothing, if intended: see Routes.", false},
	{"processor_event_router_dropped", "filtered", "events were dropped by filtered_events", "Nothing, if intended: see Routes.", false},
	{"processor_event_router_dropped", "sampled", "events were sampled out", "Nothing, if intended: see Routes.", false},
	{"processor_event_router_dropped", "shed", "events of low priority were dropped because downstream components are busy", "Check which exporter lags.", true},
	{"processor_event_router_dropped", "", "events were dropped", "See the reason, and Routes.", true},
	{"processor_event_router_refused", "", "events were refused temporarily, and senders retry", "Nothing, if it is rare.", false},
	{"processor_span_hierarchy_refused", "", "events were refused because finished spans wait for the exporter", "Check which exporter lags.", true},
	{"processor_span_hierarchy_spans_lost", "", "finished spans were permanently rejected and are lost", "The collector's log has the exporter's reason.", true},
	{"processor_span_hierarchy_events_dropped", "late", "events arrived after their spans were emitted, and are missing there", "Raise reorder_window and settle_timeout of span_hierarchy.", true},
	{"processor_span_hierarchy_events_dropped", "over_limit", "events of very large tasks were dropped", "Raise max_events_per_task of span_hierarchy.", true},
	{"processor_span_hierarchy_events_dropped", "no_task", "events belong to no task", "Send task_id with them, if they should.", false},
	{"processor_span_hierarchy_events_dropped", "", "events had no effect on a tree", "Nothing: repeated ends of tasks, and schema queries.", false},
	{"processor_span_hierarchy_trees_incomplete", "", "tasks were emitted without an end", "Nothing, if the collector was stopped; else see idle_timeout and max_open_tasks of span_hierarchy.", false},
	{"processor_span_hierarchy_spans_cut", "", "spans of very large tasks were omitted", "Raise max_spans_per_tree of span_hierarchy.", true},
	{"processor_span_hierarchy_storage_failures", "", "writes to the storage failed", "Check that its disk has space and is writable.", true},
	{"processor_event_router_storage_failures", "", "writes to the storage failed", "Check that its disk has space and is writable.", true},
	{"connector_routed_events_dropped", "not_routed", "events are not routed to this signal", "Nothing: that is their route.", false},
	{"connector_span_to_metrics_skipped", "not_routed", "events are not routed to metrics", "Nothing: that is their route.", false},
	{"connector_span_to_metrics_skipped", "malformed", "batches of events cannot be read", "Run the same version in all collectors that pass events to each other.", true},
	{"connector_span_to_metrics_storage_failures", "", "writes to the storage failed", "Check that its disk has space and is writable.", true},
	{"exporter_send_failed", "", "data was dropped by an exporter", "Check that its backend is up; with retry_on_failure::max_elapsed_time: 0s nothing is dropped.", true},
	{"exporter_enqueue_failed", "", "data did not fit into an exporter's queue", "Check that its backend is up, and raise sending_queue::queue_size.", true},
}
