// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"fmt"
	"path"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

// Override replaces the times that it has for tasks that match one of its names, which may hold *.
type Override struct {
	Tasks []string `mapstructure:"tasks"`

	ReorderWindow *time.Duration `mapstructure:"reorder_window"`
	SettleTimeout *time.Duration `mapstructure:"settle_timeout"`
	IdleTimeout   *time.Duration `mapstructure:"idle_timeout"`
}

// waits is how long tasks of a name are waited for.
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

// waitsOf is nil when all tasks are waited for equally long.
func (c *Config) waitsOf() func(string) assembly.Waits {
	if len(c.Overrides) == 0 {
		return nil
	}
	return c.waits
}

// overrideProblems are the mistakes in the overrides: each of its own, and times that do not go together for a task that the
// override names.
func (c *Config) overrideProblems() (errs []error) {
	for i := range c.Overrides {
		o := &c.Overrides[i]
		at := fmt.Sprintf("overrides[%d]", i)
		if len(o.Tasks) == 0 {
			errs = append(errs, fmt.Errorf("'%s' names nothing: give 'tasks'", at))
		}
		for _, name := range o.Tasks {
			if _, err := path.Match(name, ""); err != nil || name == "" {
				errs = append(errs, fmt.Errorf("'%s::tasks' has %q, which matches nothing: give a name, or a pattern such as \"import_*\"", at, name))
			}
		}
		if o.ReorderWindow == nil && o.SettleTimeout == nil && o.IdleTimeout == nil {
			errs = append(errs, fmt.Errorf("'%s' changes nothing: give 'reorder_window', 'settle_timeout' or 'idle_timeout'", at))
			continue
		}
		for _, d := range []struct {
			key   string
			value *time.Duration
		}{{"reorder_window", o.ReorderWindow}, {"settle_timeout", o.SettleTimeout}, {"idle_timeout", o.IdleTimeout}} {
			if d.value == nil {
				continue
			}
			if err := configerr.CheckUnit(fmt.Sprintf("'%s::%s'", at, d.key), *d.value, "1h"); err != nil {
				errs = append(errs, err)
			}
			if *d.value < 0 {
				errs = append(errs, fmt.Errorf("'%s::%s' is %s: set it to 0s or more", at, d.key, *d.value))
			}
		}
		errs = append(errs, c.orderProblems(at, o)...)
	}
	return errs
}

// orderProblems are times of the override that do not go together with those that it does not replace.
func (c *Config) orderProblems(at string, o *Override) (errs []error) {
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
	if waits.SettleTimeout < waits.ReorderWindow {
		errs = append(errs, fmt.Errorf("'%s' leaves a 'settle_timeout' of %s with a 'reorder_window' of %s: set it to at least as much",
			at, waits.SettleTimeout, waits.ReorderWindow))
	}
	if waits.IdleTimeout < waits.SettleTimeout || waits.IdleTimeout == 0 {
		errs = append(errs, fmt.Errorf("'%s' leaves an 'idle_timeout' of %s with a 'settle_timeout' of %s: set it to more than 0s and at least as much",
			at, waits.IdleTimeout, waits.SettleTimeout))
	}
	return errs
}
