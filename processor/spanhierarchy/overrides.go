// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

// Override replaces the times that it sets for tasks that match one of its names, which may contain *.
type Override struct {
	Tasks []string `mapstructure:"tasks"`

	ReorderWindow *time.Duration `mapstructure:"reorder_window"`
	SettleTimeout *time.Duration `mapstructure:"settle_timeout"`
	IdleTimeout   *time.Duration `mapstructure:"idle_timeout"`
}

// waits returns the timeouts of tasks of a name.
func (c *Config) waits(task string) assembly.Waits {
	waits := assembly.Waits{ReorderWindow: c.ReorderWindow, SettleTimeout: c.SettleTimeout, IdleTimeout: c.IdleTimeout}
	set := func(to *time.Duration, of func(*Override) *time.Duration) {
		for i := range c.Overrides {
			if o := &c.Overrides[i]; of(o) != nil && performance.AnyMatch(o.Tasks, task) {
				*to = *of(o)
				return
			}
		}
	}
	set(&waits.ReorderWindow, func(o *Override) *time.Duration { return o.ReorderWindow })
	set(&waits.SettleTimeout, func(o *Override) *time.Duration { return o.SettleTimeout })
	set(&waits.IdleTimeout, func(o *Override) *time.Duration { return o.IdleTimeout })
	return waits
}

// waitsOf returns nil when all tasks have the same timeouts.
func (c *Config) waitsOf() func(string) assembly.Waits {
	if len(c.Overrides) == 0 {
		return nil
	}
	return c.waits
}

// overrideMistakes returns the mistakes within each override, and times that contradict each other for a task that it names.
func (c *Config) overrideMistakes() (mistakes []error) {
	for i := range c.Overrides {
		o := &c.Overrides[i]
		at := configerr.Index("overrides", i)
		if len(o.Tasks) == 0 {
			mistakes = append(mistakes, configerr.New(at, nil, "names no task", "add tasks"))
		}
		for j, name := range o.Tasks {
			mistakes = append(mistakes, checkName(configerr.Index(configerr.Path(at, "tasks"), j), name))
		}
		if o.ReorderWindow == nil && o.SettleTimeout == nil && o.IdleTimeout == nil {
			mistakes = append(mistakes, configerr.New(at, nil, "changes nothing", "add reorder_window, settle_timeout or idle_timeout"))
			continue
		}
		for _, d := range []struct {
			key   string
			value *time.Duration
		}{{"reorder_window", o.ReorderWindow}, {"settle_timeout", o.SettleTimeout}, {"idle_timeout", o.IdleTimeout}} {
			if d.value != nil {
				mistakes = append(mistakes, configerr.NotNegative(configerr.Path(at, d.key), *d.value, "1h", "for none"))
			}
		}
		mistakes = append(mistakes, c.checkOrder(at, o)...)
	}
	return mistakes
}

// checkName checks a pattern for names of tasks, steps or operations.
func checkName(key, name string) error {
	if name == "" {
		return configerr.New(key, name, "matches nothing", `use a name, or a pattern such as "import_*"`)
	}
	return glob.Check(key, name)
}

// checkOrder checks the times of the override together with the ones it does not replace.
func (c *Config) checkOrder(at string, o *Override) []error {
	waits := assembly.Waits{ReorderWindow: c.ReorderWindow, SettleTimeout: c.SettleTimeout, IdleTimeout: c.IdleTimeout}
	if o.ReorderWindow != nil {
		waits.ReorderWindow = *o.ReorderWindow
	}
	if o.SettleTimeout != nil {
		waits.SettleTimeout = *o.SettleTimeout
	}
	if o.IdleTimeout != nil {
		waits.IdleTimeout = *o.IdleTimeout
	}
	return checkWaits(configerr.Path(at, ""), waits)
}

// checkWaits checks times against each other; their keys begin with a prefix.
func checkWaits(prefix string, waits assembly.Waits) (mistakes []error) {
	if waits.SettleTimeout < waits.ReorderWindow {
		mistakes = append(mistakes, configerr.New(prefix+"settle_timeout", waits.SettleTimeout, "is less than reorder_window",
			fmt.Sprintf("use %s or more", waits.ReorderWindow)))
	}
	if waits.IdleTimeout < waits.SettleTimeout || waits.IdleTimeout == 0 {
		mistakes = append(mistakes, configerr.New(prefix+"idle_timeout", waits.IdleTimeout, "is zero or less than settle_timeout",
			fmt.Sprintf("use more than 0s, and %s or more", waits.SettleTimeout)))
	}
	return mistakes
}
