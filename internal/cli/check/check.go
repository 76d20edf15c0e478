// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// The sections of components.
const (
	receivers  = collectorconfig.Receivers
	processors = collectorconfig.Processors
	exporters  = collectorconfig.Exporters
	connectors = collectorconfig.Connectors
	extensions = collectorconfig.Extensions
)

// Level is the severity of a finding.
type Level string

// The levels.
const (
	// LevelError means that the collector does not start, or does not do what it is configured for.
	LevelError Level = "error"
	// LevelWarning means that the configuration works, but probably not as intended.
	LevelWarning Level = "warning"
)

// Finding is a mistake in a configuration.
type Finding struct {
	Level Level `json:"level"`
	// Key is the key of the setting, as in processors::span_hierarchy::storage, and Value its value.
	Key   string `json:"key"`
	Value string `json:"value"`
	// Problem is the consequence, and Remedy what to write instead.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Check checks the merged configuration of a collector. It returns the findings in order, errors first.
func Check(conf *confmap.Conf) ([]Finding, error) {
	c := &checker{conf: collectorconfig.New(conf)}
	if len(c.conf.Pipelines) == 0 {
		return nil, errors.New("the configuration has no service::pipelines: pass all files that the collector is started with")
	}
	c.checkKeys(conf.ToStringMap())
	c.checkReferences()
	c.checkUnusedExtensions()
	c.checkOldNames()
	c.checkOrder()
	c.checkDurability()
	c.checkRecords()
	c.checkPayload()
	c.checkMetrics()
	c.checkExposure()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Problem, b.Problem))
	})
	return slices.Compact(c.findings), nil
}

// checker collects findings.
type checker struct {
	conf     *collectorconfig.Config
	findings []Finding
}

func (c *checker) add(level Level, key, value, problem, remedy string) {
	c.findings = append(c.findings, Finding{level, key, value, problem, remedy})
}
