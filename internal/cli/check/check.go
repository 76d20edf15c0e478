// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/collectorconfig"
)

// The sections of components.
const (
	receivers  = collectorconfig.Receivers
	processors = collectorconfig.Processors
	exporters  = collectorconfig.Exporters
	connectors = collectorconfig.Connectors
	extensions = collectorconfig.Extensions
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	// LevelError is for what keeps the collector from starting, or from doing what it is configured to do.
	LevelError Level = "error"
	// LevelWarning is for what works, and probably not as meant.
	LevelWarning Level = "warning"
)

// Finding is something that is wrong with a configuration.
type Finding struct {
	Level Level `json:"level"`
	// Key is the setting, as in processors::span_hierarchy::storage, and Value what it is.
	Key   string `json:"key"`
	Value string `json:"value"`
	// Problem is what follows from it, and Remedy what to write instead.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Check looks at the merged configuration of a collector. The findings are in order, the errors first.
func Check(conf *confmap.Conf) ([]Finding, error) {
	c := &checker{conf: collectorconfig.New(conf)}
	if len(c.conf.Pipelines) == 0 {
		return nil, errors.New("the configuration has no service::pipelines: name all files that the collector is started with")
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

// checker collects what is wrong with a configuration.
type checker struct {
	conf     *collectorconfig.Config
	findings []Finding
}

func (c *checker) add(level Level, key, value, problem, remedy string) {
	c.findings = append(c.findings, Finding{level, key, value, problem, remedy})
}
