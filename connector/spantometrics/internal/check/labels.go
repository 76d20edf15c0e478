// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// dimensions checks the sections dimensions and exclude_dimensions.
func dimensions(cfg *declaration.Config) error {
	// Labels of all built-in metrics, and of those made from spans, to which the dimensions are added.
	known, ofSpans := map[string]bool{}, map[string]bool{}
	for name, declared := range declaration.BuiltIn() {
		m := declaration.Metric{MetricConfig: declared, Name: name}
		for _, dimension := range m.Dimensions {
			known[dimension.Name] = true
			ofSpans[dimension.Name] = ofSpans[dimension.Name] || m.IsOfSpans()
		}
	}
	maps.DeleteFunc(ofSpans, func(_ string, is bool) bool { return !is })
	mistakes := labels("", cfg.Dimensions, slices.Sorted(maps.Keys(ofSpans)), cfg.AllowUnbounded)
	for _, dimension := range cfg.Dimensions {
		known[dimension.Name] = true
	}
	for i, label := range cfg.ExcludeDimensions {
		if !known[label] {
			mistakes = append(mistakes, configerr.New(configerr.Index("exclude_dimensions", i), label, "is not a label of a built-in metric",
				"remove it, or use one of "+strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
	}
	return errors.Join(mistakes...)
}

// labels checks labels, whose keys begin with prefix, against each other and against given ones.
func labels(prefix string, dimensions []declaration.Dimension, given, allowed []string) []error {
	var mistakes []error
	seen := reservedLabels()
	for _, builtIn := range given {
		seen[prometheusLabel(builtIn)] = "the built-in label " + builtIn
	}
	for i, dimension := range dimensions {
		key := fmt.Sprintf("%sdimensions[%d]::name", prefix, i)
		if dimension.Name == "" {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is not a label", "use the key of an attribute, or remove the entry"))
			continue
		}
		label := prometheusLabel(dimension.Name)
		if other, taken := seen[label]; taken {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "has the same Prometheus name as "+other, "use another name, or remove it"))
		}
		if strings.HasPrefix(label, "__") || label == "_" || label[0] >= '0' && label[0] <= '9' {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is not a valid Prometheus label", "use one that begins with a letter, and name the attribute in key"))
		}
		seen[label] = fmt.Sprintf("%sdimensions[%d] (%s)", prefix, i, dimension.Name)
		for _, attribute := range dimension.Keys() {
			if isID(attribute) && !slices.Contains(allowed, dimension.Name) && !slices.Contains(allowed, attribute) {
				mistakes = append(mistakes, configerr.New(key, attribute, "has a new value for each task, step or event, so that every execution would be a series of its own",
					"follow exemplars to traces instead, or list it in allow_unbounded if its values are few"))
			}
		}
	}
	return mistakes
}

// reservedLabels returns labels that Prometheus or its exporters add to every series. A metric with a label of the same
// name would be missing.
func reservedLabels() map[string]string {
	scope := "the label of the metric's scope"
	return map[string]string{
		"le": "the label of a histogram's buckets", "quantile": "the label of a summary's quantiles",
		"job": "the label made from service.name", "instance": "the label made from service.instance.id",
		"otel_scope_name": scope, "otel_scope_version": scope, "otel_scope_schema_url": scope,
		prometheusLabel(series.OverflowLabel): "the label of overflow series",
	}
}

// isID reports whether an attribute is an ID of Tasker or of traces, with or without prefix.
func isID(key string) bool {
	switch prometheusLabel(strings.TrimPrefix(key, "tasker.")) {
	case "task_id", "step_id", "correlation_id", "thread_correlation_id", "trace_id", "span_id", "job_id", "event_id", "traceparent":
		return true
	}
	return false
}
