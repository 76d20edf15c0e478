// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

// PerformanceConfig says what gets a performance event on its span. A threshold of 0 is none.
type PerformanceConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// SlowTask, SlowStep and SlowQuery are the durations above which a task, an attempt of a step or a query is slow.
	SlowTask  time.Duration `mapstructure:"slow_task"`
	SlowStep  time.Duration `mapstructure:"slow_step"`
	SlowQuery time.Duration `mapstructure:"slow_query"`
	// MemorySpikeMB is the growth of memory, in megabytes, that an event of a task may tell of.
	MemorySpikeMB float64 `mapstructure:"memory_spike_mb"`
	// Overrides replace thresholds by name. Of those that match, the first one that has the threshold counts.
	Overrides []PerformanceOverride `mapstructure:"overrides"`
}

// PerformanceOverride replaces the thresholds that it has for what it names. Names may hold *; each list that is given
// must match.
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

func (c *PerformanceConfig) problems() (errs []error) {
	check := func(key string, negative bool, value any) {
		if negative {
			errs = append(errs, fmt.Errorf("'performance::%s' is %v: set it to 0 (off) or more", key, value))
		}
	}
	duration := func(key string, d *time.Duration) {
		if d != nil {
			check(key, *d < 0, *d)
			if err := configerr.CheckUnit("'performance::"+key+"'", *d, "1s"); err != nil {
				errs = append(errs, err)
			}
		}
	}
	duration("slow_task", &c.SlowTask)
	duration("slow_step", &c.SlowStep)
	duration("slow_query", &c.SlowQuery)
	check("memory_spike_mb", c.MemorySpikeMB < 0, c.MemorySpikeMB)
	for i := range c.Overrides {
		o := &c.Overrides[i]
		at := fmt.Sprintf("overrides[%d]", i)
		duration(at+"::slow_task", o.SlowTask)
		duration(at+"::slow_step", o.SlowStep)
		duration(at+"::slow_query", o.SlowQuery)
		if o.MemorySpikeMB != nil {
			check(at+"::memory_spike_mb", *o.MemorySpikeMB < 0, *o.MemorySpikeMB)
		}
		errs = append(errs, o.problems(at)...)
	}
	return errs
}

func (o *PerformanceOverride) problems(at string) (errs []error) {
	if len(o.Tasks)+len(o.Steps)+len(o.Operations) == 0 {
		errs = append(errs, fmt.Errorf("'performance::%s' names nothing: give 'tasks', 'steps' or 'operations'", at))
	}
	if o.SlowTask == nil && o.SlowStep == nil && o.SlowQuery == nil && o.MemorySpikeMB == nil {
		errs = append(errs, fmt.Errorf("'performance::%s' changes nothing: give 'slow_task', 'slow_step', 'slow_query' or 'memory_spike_mb'", at))
	}
	if o.SlowTask != nil && len(o.Steps)+len(o.Operations) > 0 {
		errs = append(errs, fmt.Errorf("'performance::%s::slow_task' is never used: a task has no step or operation; name 'tasks' only", at))
	}
	if o.SlowStep != nil && len(o.Operations) > 0 {
		errs = append(errs, fmt.Errorf("'performance::%s::slow_step' is never used: a step has no operation; name 'tasks' or 'steps' only", at))
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"tasks", o.Tasks}, {"steps", o.Steps}, {"operations", o.Operations}} {
		for _, name := range list.names {
			switch err := glob.Check(name); {
			case name == "":
				errs = append(errs, fmt.Errorf("'performance::%s::%s' has an empty name, which matches nothing: give a name, or a pattern such as \"import_*\"", at, list.key))
			case err != nil:
				errs = append(errs, fmt.Errorf("'performance::%s::%s': %q %w", at, list.key, name, err))
			}
		}
	}
	return errs
}

// monitor is nil when it is off.
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
