// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/promset"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

const prefix = ownmetrics.Prefix

// own are the collector's internal metrics at a time.
type own struct {
	at       time.Time // before the request
	families []*dto.MetricFamily
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
	o := &own{at: at, families: families}
	if !o.has(prefix) {
		return nil, &UnreachableError{fmt.Errorf("%s exposes no internal metrics of a collector (%s…): use the address of "+
			"service::telemetry::metrics, not that of the exporter prometheus", target, prefix)}
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
	return slices.ContainsFunc(o.families, func(f *dto.MetricFamily) bool { return strings.HasPrefix(f.GetName(), start) })
}

// suffixes that the collector's Prometheus reader may add, depending on its configuration.
var suffixes = []string{"", "_total", "_bytes", "_bytes_total", "_seconds", "_seconds_total"}

// value returns the sum of a metric's series; found is false if there are none.
func (o *own) value(name string) (sum float64, found bool) {
	for _, suffix := range suffixes {
		for _, f := range o.families {
			if f.GetName() != prefix+name+suffix {
				continue
			}
			for _, m := range f.Metric {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
			}
			return sum, len(f.Metric) > 0
		}
	}
	return 0, false
}

func (o *own) number(name string) int64 {
	v, _ := o.value(name)
	return int64(v)
}

// latest returns the latest of a metric's series as a time; nil if there is none.
func (o *own) latest(name string) *time.Time {
	newest := 0.0
	for _, f := range o.families {
		if f.GetName() == prefix+name || f.GetName() == prefix+name+"_seconds" {
			for _, m := range f.Metric {
				newest = max(newest, m.GetGauge().GetValue())
			}
		}
	}
	if newest == 0 {
		return nil
	}
	at := time.Unix(0, int64(newest*1e9)).UTC()
	return &at
}

// label returns a label of the resource.
func (o *own) label(name string) string {
	for _, f := range o.families {
		if f.GetName() != "target_info" {
			continue
		}
		for _, m := range f.Metric {
			for _, pair := range m.Label {
				if pair.GetName() == name {
					return pair.GetValue()
				}
			}
		}
	}
	return ""
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
	for _, f := range o.families {
		name := ownmetrics.Name(f.GetName())
		if !strings.HasPrefix(f.GetName(), prefix) || f.GetType() != dto.MetricType_COUNTER || !ownmetrics.IsLoss(name) {
			continue
		}
		for _, m := range f.Metric {
			if m.GetCounter().GetValue() > 0 {
				list = append(list, Loss{name, labels(m), int64(m.GetCounter().GetValue())})
			}
		}
	}
	return list
}

// labels returns the labels of a series except the collector's scope and instance.
func labels(m *dto.Metric) map[string]string {
	found := map[string]string{}
	for _, pair := range m.Label {
		if name := pair.GetName(); !strings.HasPrefix(name, "otel_scope_") && !strings.HasPrefix(name, "service_") {
			found[name] = pair.GetValue()
		}
	}
	return found
}
