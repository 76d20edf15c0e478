// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

// PerformanceConfig has the thresholds for performance events on spans; 0 disables one.
type PerformanceConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// SlowTask, SlowStep and SlowQuery are the durations above which a task, an attempt of a step or a query is slow.
	SlowTask  time.Duration `mapstructure:"slow_task"`
	SlowStep  time.Duration `mapstructure:"slow_step"`
	SlowQuery time.Duration `mapstructure:"slow_query"`
	// MemorySpikeMB is the growth of memory, in megabytes, above which an event of a task counts as a spike.
	MemorySpikeMB float64 `mapstructure:"memory_spike_mb"`
	// Overrides replace thresholds by name. The first matching override that sets a threshold applies.
	Overrides []PerformanceOverride `mapstructure:"overrides"`
}

// PerformanceOverride replaces thresholds for what it names. Names may contain *; each given list must match.
type PerformanceOverride struct {
	Tasks      []string `mapstructure:"tasks"`
	Steps      []string `mapstructure:"steps"`
	Operations []string `mapstructure:"operations"`

	SlowTask      *time.Duration `mapstructure:"slow_task"`
	SlowStep      *time.Duration `mapstructure:"slow_step"`
	SlowQuery     *time.Duration `mapstructure:"slow_query"`
	MemorySpikeMB *float64       `mapstructure:"memory_spike_mb"`
}

func defaultPerformance() PerformanceConfig {
	usual := performance.DefaultThresholds()
	return PerformanceConfig{
		Enabled: true, SlowTask: usual.SlowTask, SlowStep: usual.SlowStep, SlowQuery: usual.SlowQuery, MemorySpikeMB: usual.MemorySpikeMB,
	}
}

// mistakes returns the mistakes of the section performance.
func (c *PerformanceConfig) mistakes() []error {
	const off = "to switch it off"
	at := func(key string) string { return configerr.Path("performance", key) }
	mistakes := []error{
		configerr.NotNegative(at("slow_task"), c.SlowTask, "1s", off),
		configerr.NotNegative(at("slow_step"), c.SlowStep, "1s", off),
		configerr.NotNegative(at("slow_query"), c.SlowQuery, "1s", off),
		configerr.OrZero(at("memory_spike_mb"), c.MemorySpikeMB, off),
	}
	for i := range c.Overrides {
		mistakes = append(mistakes, c.Overrides[i].mistakes(configerr.Index(at("overrides"), i))...)
	}
	return mistakes
}

func (o *PerformanceOverride) mistakes(at string) []error {
	const off = "to switch it off"
	var mistakes []error
	for _, d := range []struct {
		key   string
		value *time.Duration
	}{{"slow_task", o.SlowTask}, {"slow_step", o.SlowStep}, {"slow_query", o.SlowQuery}} {
		if d.value != nil {
			mistakes = append(mistakes, configerr.NotNegative(configerr.Path(at, d.key), *d.value, "1s", off))
		}
	}
	if o.MemorySpikeMB != nil {
		mistakes = append(mistakes, configerr.OrZero(configerr.Path(at, "memory_spike_mb"), *o.MemorySpikeMB, off))
	}
	if len(o.Tasks)+len(o.Steps)+len(o.Operations) == 0 {
		mistakes = append(mistakes, configerr.New(at, nil, "names nothing", "add tasks, steps or operations"))
	}
	if o.SlowTask == nil && o.SlowStep == nil && o.SlowQuery == nil && o.MemorySpikeMB == nil {
		mistakes = append(mistakes, configerr.New(at, nil, "changes nothing", "add slow_task, slow_step, slow_query or memory_spike_mb"))
	}
	if o.SlowTask != nil && len(o.Steps)+len(o.Operations) > 0 {
		mistakes = append(mistakes, configerr.New(configerr.Path(at, "slow_task"), *o.SlowTask, "is never used, because a task has no step or operation", "use tasks only"))
	}
	if o.SlowStep != nil && len(o.Operations) > 0 {
		mistakes = append(mistakes, configerr.New(configerr.Path(at, "slow_step"), *o.SlowStep, "is never used, because a step has no operation", "use tasks or steps only"))
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"tasks", o.Tasks}, {"steps", o.Steps}, {"operations", o.Operations}} {
		for i, name := range list.names {
			mistakes = append(mistakes, checkName(configerr.Index(configerr.Path(at, list.key), i), name))
		}
	}
	return mistakes
}

// monitor returns nil when all thresholds are off.
func (c *PerformanceConfig) monitor() *performance.Monitor {
	if !c.Enabled {
		return nil
	}
	overrides := make([]performance.Override, 0, len(c.Overrides))
	for i := range c.Overrides {
		overrides = append(overrides, performance.Override(c.Overrides[i]))
	}
	return performance.New(performance.Thresholds{
		SlowTask: c.SlowTask, SlowStep: c.SlowStep, SlowQuery: c.SlowQuery, MemorySpikeMB: c.MemorySpikeMB,
	}, overrides)
}
