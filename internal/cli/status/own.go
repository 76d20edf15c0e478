// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// own are the collector's internal metrics at a time.
type own struct {
	at     time.Time // before the request
	series []ownmetrics.Series
	// resource has the labels of target_info.
	resource map[string]string
}

func readOwn(ctx context.Context, client *scrape.Client, address string, now func() time.Time) (*own, error) {
	at := now()
	target, err := scrape.One(address)
	if err != nil {
		return nil, err
	}
	answer, err := client.Get(ctx, target, promset.Accept)
	if err != nil {
		return nil, &UnreachableError{err}
	}
	families, err := promset.Parse(answer.Body, answer.ContentType)
	if err != nil {
		return nil, &UnreachableError{fmt.Errorf("%s: %w", target, err)}
	}
	o := &own{at: at, series: ownmetrics.Read(slices.Values(families)), resource: map[string]string{}}
	if len(o.series) == 0 {
		return nil, &UnreachableError{fmt.Errorf("%s exposes no internal metrics of a collector (%s…): use the address of "+
			"service::telemetry::metrics, not that of the exporter prometheus", target, ownmetrics.Prefix)}
	}
	for _, f := range families {
		if f.GetName() == "target_info" {
			for _, pair := range f.Metric[0].Label {
				o.resource[pair.GetName()] = pair.GetValue()
			}
		}
	}
	return o, nil
}

// UnreachableError is a collector that could not be queried.
type UnreachableError struct{ Err error }

// Error implements error.
func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// has reports whether there are metrics with a prefix.
func (o *own) has(start string) bool {
	return slices.ContainsFunc(o.series, func(s ownmetrics.Series) bool { return strings.HasPrefix(s.Name, start) })
}

// of returns the series of a metric, to whose name the collector's Prometheus reader may have added the unit.
func (o *own) of(name string) (found []ownmetrics.Series) {
	for _, unit := range []string{"", "_bytes", "_seconds"} {
		for _, s := range o.series {
			if s.Name == name+unit {
				found = append(found, s)
			}
		}
		if found != nil {
			break
		}
	}
	return found
}

// value returns the sum of a metric's series; found is false if there are none.
func (o *own) value(name string) (sum float64, found bool) {
	for _, s := range o.of(name) {
		sum, found = sum+s.Value, true
	}
	return sum, found
}

func (o *own) number(name string) int64 {
	v, _ := o.value(name)
	return int64(v)
}

// latest returns the latest of a metric's series as a time; the zero time if there is none.
func (o *own) latest(name string) time.Time {
	newest := 0.0
	for _, s := range o.of(name) {
		newest = max(newest, s.Value)
	}
	if newest == 0 {
		return time.Time{}
	}
	return ownmetrics.Time(newest)
}

// Loss is what a component has refused, dropped, cut or failed to do since startup.
type Loss struct {
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels,omitempty"`
	Count  int64             `json:"count"`
}

// losses returns the losses that are not zero.
func (o *own) losses() []Loss {
	list := []Loss{}
	for _, s := range o.series {
		if s.Loses() {
			list = append(list, Loss{s.Name, s.Labels, int64(s.Value)})
		}
	}
	return list
}
