// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"errors"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Config of span_hierarchy. All times count from the arrival of a task's latest event, by the collector's running time: downtime
// and changes of the machine's clock do not count.
type Config struct {
	// ReorderWindow is how long an ended task of which nothing is missing waits for late events before it is emitted.
	ReorderWindow time.Duration `mapstructure:"reorder_window"`
	// SettleTimeout is how long an ended task waits for events that are known to be missing.
	SettleTimeout time.Duration `mapstructure:"settle_timeout"`
	// IdleTimeout is how long a task that has not ended may stay silent before it is emitted as incomplete.
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
	// Overrides replace these three by task name. The first matching override that sets a time applies.
	Overrides []Override `mapstructure:"overrides"`
	// Emit is when spans are passed on: parts, each as soon as it is settled, or whole, when its task has ended.
	Emit string `mapstructure:"emit"`
	// MaxOpenTasks bounds the tasks held. One more evicts, as incomplete, the task that has been idle longest.
	MaxOpenTasks int `mapstructure:"max_open_tasks"`
	// MaxHeldBytes bounds the approximate memory of the tasks held. Above it finished tasks are dropped first, then those idle
	// longest are evicted as incomplete.
	MaxHeldBytes int64 `mapstructure:"max_held_bytes"`
	// MaxEventsPerTask bounds the events held of one task.
	MaxEventsPerTask int `mapstructure:"max_events_per_task"`
	// MaxSpansPerTree bounds the spans of one tree.
	MaxSpansPerTree int `mapstructure:"max_spans_per_tree"`
	// MaxBytesPerTree bounds the approximate bytes of one tree.
	MaxBytesPerTree int64 `mapstructure:"max_bytes_per_tree"`
	// RememberedTasks is how many emitted tasks are remembered, to recognize late events and reruns.
	RememberedTasks int `mapstructure:"remembered_tasks"`
	// FinishedTasks is how many emitted tasks are kept with their events for SettleTimeout, so that a query or a backoff that
	// arrives after its tree is still emitted as a span of it.
	FinishedTasks int `mapstructure:"finished_tasks"`
	// MaxPendingSpans bounds the finished spans that wait because the next component refuses them. Beyond it, events are refused
	// with a retryable error, so that the sender waits.
	MaxPendingSpans int `mapstructure:"max_pending_spans"`
	// Shards is the number of independent parts of the state; 0 means one per core.
	Shards int `mapstructure:"shards"`
	// CompleteSpans adds the missing levels to the task and step spans that Tasker's own subscriber sends over OTLP.
	CompleteSpans bool `mapstructure:"complete_spans"`
	// Performance sets what counts as slow, or as high memory use.
	Performance PerformanceConfig `mapstructure:"performance"`

	// Storage is the storage extension that keeps open tasks across stops and crashes. Without it they are in memory only.
	Storage *component.ID `mapstructure:"storage"`
	// EmitAgainWithin is the age up to which a tree that was passed on before a stop or a crash is passed on again after it, under
	// the same ids, because the next component may have had it in memory only. It requires Storage.
	EmitAgainWithin time.Duration `mapstructure:"emit_again_within"`
	// TrustReceived accepts event spans received over the network as those of this collector's own routed_events.
	TrustReceived bool `mapstructure:"trust_received"`

	_ struct{} // keyed literals only
}

func createDefaultConfig() *Config {
	limits := assembly.DefaultLimits()
	return &Config{
		ReorderWindow: limits.ReorderWindow, SettleTimeout: limits.SettleTimeout, IdleTimeout: limits.IdleTimeout,
		MaxOpenTasks: limits.OpenTasks, MaxHeldBytes: limits.HeldBytes, MaxEventsPerTask: limits.EventsPerTask, MaxSpansPerTree: limits.SpansPerTree, MaxBytesPerTree: limits.BytesPerTree,
		RememberedTasks: limits.Remembered, FinishedTasks: limits.Finished, MaxPendingSpans: 200_000,
		Emit: emitParts, EmitAgainWithin: 5 * time.Second, CompleteSpans: true, Performance: defaultPerformance(),
	}
}

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	mistakes := []error{
		configerr.NotNegative("reorder_window", c.ReorderWindow, "2s", "for none"),
		configerr.Unit("settle_timeout", c.SettleTimeout, "30s"),
		configerr.Unit("idle_timeout", c.IdleTimeout, "24h"),
		configerr.NotNegative("emit_again_within", c.EmitAgainWithin, "5s", "for at once"),
		configerr.AtLeast("max_open_tasks", c.MaxOpenTasks, 1),
		configerr.AtLeast("max_events_per_task", c.MaxEventsPerTask, 1),
		configerr.AtLeast("max_spans_per_tree", c.MaxSpansPerTree, 1),
		configerr.AtLeast("max_pending_spans", c.MaxPendingSpans, 1),
		configerr.AtLeast("max_bytes_per_tree", c.MaxBytesPerTree, leastBytesPerTree),
		configerr.AtLeast("max_held_bytes", c.MaxHeldBytes, leastHeldBytes),
		configerr.OrZero("remembered_tasks", c.RememberedTasks, "to remember none"),
		configerr.OrZero("finished_tasks", c.FinishedTasks, "to keep none"),
		configerr.OrZero("shards", c.Shards, "for one per core"),
		configerr.OneOf("emit", c.Emit, emitParts, emitWhole),
	}
	mistakes = append(mistakes, checkWaits("", assembly.Waits{ReorderWindow: c.ReorderWindow, SettleTimeout: c.SettleTimeout, IdleTimeout: c.IdleTimeout})...)
	mistakes = append(mistakes, c.overrideMistakes()...)
	return errors.Join(append(mistakes, c.Performance.mistakes()...)...)
}

// Values of emit.
const (
	emitParts = "parts"
	emitWhole = "whole"
)

// leastBytesPerTree is enough for a usual tree.
const leastBytesPerTree = 64 << 10

// leastHeldBytes is enough for a few hundred open tasks.
const leastHeldBytes = 1 << 20

func (c *Config) shards() int {
	if c.Shards > 0 {
		return c.Shards
	}
	return runtime.GOMAXPROCS(0)
}

// limits returns the limits of one shard: tasks are spread evenly, because trace ids are hashes.
func (c *Config) limits(shards int) assembly.Limits {
	return assembly.Limits{
		OpenTasks: max(1, c.MaxOpenTasks/shards), HeldBytes: max(1, c.MaxHeldBytes/int64(shards)), EventsPerTask: c.MaxEventsPerTask, SpansPerTree: c.MaxSpansPerTree, BytesPerTree: c.MaxBytesPerTree,
		ReorderWindow: c.ReorderWindow, SettleTimeout: c.SettleTimeout, IdleTimeout: c.IdleTimeout,
		WaitsOf: c.waitsOf(), Parts: c.Emit == emitParts,
		Remembered: c.RememberedTasks / shards, Finished: c.FinishedTasks / shards,
	}
}
