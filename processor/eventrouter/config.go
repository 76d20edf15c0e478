// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

// Config of event_router. README.md explains every setting.
type Config struct {
	// Routes are layered over the built-in ones.
	Routes []routing.Route `mapstructure:"routes"`
	// BuiltinRoutes adds Tasker's own routes beneath Routes.
	BuiltinRoutes bool `mapstructure:"builtin_routes"`
	// FilteredEvents are names and globs of events that are dropped, regardless of their routes.
	FilteredEvents []string `mapstructure:"filtered_events"`
	// DefaultSignals are for events without a route. Without any, such events are dropped.
	DefaultSignals []string `mapstructure:"default_signals"`
	// SamplingRate multiplies the rate of every route.
	SamplingRate float64 `mapstructure:"sampling_rate"`

	Payload   PayloadConfig   `mapstructure:"payload"`
	Redaction RedactionConfig `mapstructure:"redaction"`
	// MaxValueBytes is the longest text that is kept whole.
	MaxValueBytes int `mapstructure:"max_value_bytes"`
	// MaxStructureBytes is the largest map or list that is kept whole.
	MaxStructureBytes int `mapstructure:"max_structure_bytes"`
	// MaxBacktraceLines is the longest backtrace that is kept whole.
	MaxBacktraceLines int `mapstructure:"max_backtrace_lines"`

	Deduplicate DeduplicateConfig `mapstructure:"deduplicate"`
	// Shedding drops the least important events while the next components are busy; off unless configured.
	Shedding SheddingConfig `mapstructure:"shedding"`
	// Storage is the extension that keeps the events seen by deduplicate; without it they are lost with the process.
	Storage *component.ID `mapstructure:"storage"`
	// Select is which records are passed on: events, or others, which are the unchanged records of other programs.
	Select string `mapstructure:"select"`
	// TrustReceived accepts stamps on records received over the network as those of an own router.
	TrustReceived bool `mapstructure:"trust_received"`

	_ struct{} // keyed literals only
}

// PayloadConfig sets which payload keys are kept.
type PayloadConfig struct {
	// Include names bulky or personal keys that are kept nevertheless.
	Include []string `mapstructure:"include"`
	// Only, if not empty, names the keys that are kept besides those that the collector reads; all others are left out.
	Only []string `mapstructure:"only"`
}

// RedactionConfig is the key filter.
type RedactionConfig struct {
	// Keys are parts of keys whose values are masked, without regard to case.
	Keys []string `mapstructure:"keys"`
	// Mask replaces a masked value.
	Mask string `mapstructure:"mask"`
	// Patterns are secrets that are masked inside texts: bearer_tokens, card_numbers, email_addresses,
	// url_credentials.
	Patterns []string `mapstructure:"patterns"`
}

// DeduplicateConfig configures the recognition of events that are sent again.
type DeduplicateConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// MaxEntries is the largest number of events remembered; at least half of it are.
	MaxEntries int `mapstructure:"max_entries"`
	// MaxWait is how long a batch waits for the outcome of another one that is passing on one of its events. After it the batch is
	// refused with a retryable error; with 0 at once.
	MaxWait time.Duration `mapstructure:"max_wait"`
}

// Which records a router passes on.
const (
	selectEvents = "events"
	selectOthers = "others"
)

var _ component.Config = (*Config)(nil)

func createDefaultConfig() *Config {
	return &Config{
		Select:            selectEvents,
		BuiltinRoutes:     true,
		SamplingRate:      1,
		Redaction:         RedactionConfig{Keys: lifecycle.SensitiveKeyParts(), Mask: "[FILTERED]"},
		MaxValueBytes:     4096,
		MaxStructureBytes: 256 << 10,
		MaxBacktraceLines: 50,
		Deduplicate:       DeduplicateConfig{Enabled: true, MaxEntries: 1_000_000, MaxWait: 10 * time.Second},
	}
}

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	_, err := routing.Compile(c.Routing())
	mistakes := []error{
		err,
		c.Payload.check(),
		c.Redaction.check(),
		configerr.AtLeast("max_value_bytes", c.MaxValueBytes, 64),
		configerr.AtLeast("max_structure_bytes", c.MaxStructureBytes, 64),
		configerr.AtLeast("max_backtrace_lines", c.MaxBacktraceLines, 1),
		configerr.OneOf("select", c.Select, selectEvents, selectOthers),
		c.checkStorage(),
	}
	mistakes = append(mistakes, c.Shedding.check()...)
	if c.Deduplicate.Enabled {
		mistakes = append(mistakes,
			configerr.AtLeast(configerr.Path("deduplicate", "max_entries"), c.Deduplicate.MaxEntries, 1000),
			configerr.NotNegative(configerr.Path("deduplicate", "max_wait"), c.Deduplicate.MaxWait, "10s", "to refuse at once"))
	}
	return errors.Join(mistakes...)
}

// checkStorage reports a storage without anything to store.
func (c *Config) checkStorage() error {
	if c.Storage == nil {
		return nil
	}
	var mistakes []error
	if c.Select == selectOthers {
		mistakes = append(mistakes, configerr.New("storage", c.Storage.String(), fmt.Sprintf("has nothing to store, because select is %q", selectOthers), "remove one of the two"))
	}
	if !c.Deduplicate.Enabled {
		mistakes = append(mistakes, configerr.New("storage", c.Storage.String(), "has nothing to store, because deduplicate::enabled is false", "remove one of the two"))
	}
	return errors.Join(mistakes...)
}

func (c *PayloadConfig) check() error {
	bulky := lifecycle.BulkyPayloadKeys()
	var mistakes []error
	for i, key := range c.Include {
		at := configerr.Index(configerr.Path("payload", "include"), i)
		if !slices.Contains(bulky, key) {
			mistakes = append(mistakes, configerr.New(at, key, "is kept anyway", "remove it, or use one of "+configerr.List(bulky)))
		} else if len(c.Only) > 0 && !slices.Contains(c.Only, key) {
			mistakes = append(mistakes, configerr.New(at, key, "is left out, because payload::only does not name it", "add it there, or remove it here"))
		}
	}
	for i, key := range c.Only {
		at := configerr.Index(configerr.Path("payload", "only"), i)
		switch {
		case slices.Contains(lifecycle.NeededPayloadKeys(), key):
			mistakes = append(mistakes, configerr.New(at, key, "is kept anyway, because the collector reads it", "remove it"))
		case slices.Contains(bulky, key) && !slices.Contains(c.Include, key):
			mistakes = append(mistakes, configerr.New(at, key, "is left out unless payload::include names it too", "add it there, or remove it here"))
		case key == "":
			mistakes = append(mistakes, configerr.New(at, key, "is not a key", "remove it"))
		}
	}
	return errors.Join(mistakes...)
}

// identifying are the keys without which no tree can be built.
var identifying = [...]string{"task_id", "step_id", "task_name", "step_name"}

func (c *RedactionConfig) check() error {
	var mistakes []error
	for i, part := range c.Keys {
		at := configerr.Index(configerr.Path("redaction", "keys"), i)
		if part == "" {
			mistakes = append(mistakes, configerr.New(at, part, "would mask every value", "remove it"))
			continue
		}
		for _, key := range identifying {
			if strings.Contains(key, strings.ToLower(part)) {
				mistakes = append(mistakes, configerr.New(at, part, "would mask "+key+", which names what an event is about", "use a longer part"))
				break
			}
		}
	}
	patterns, err := scrub.ParsePatterns(configerr.Path("redaction", "patterns"), c.Patterns)
	if err != nil {
		mistakes = append(mistakes, err)
	} else if patterns.Mask(c.Mask, "") != c.Mask {
		mistakes = append(mistakes, configerr.New(configerr.Path("redaction", "mask"), c.Mask, "is itself masked by redaction::patterns", "use another text"))
	}
	return errors.Join(mistakes...)
}

// Routing returns the settings of the route table.
func (c *Config) Routing() routing.Settings {
	return routing.Settings{
		Routes:         c.Routes,
		Builtin:        c.BuiltinRoutes,
		Filtered:       c.FilteredEvents,
		DefaultSignals: c.DefaultSignals,
		SamplingRate:   c.SamplingRate,
	}
}

func (c *Config) scrubbing() scrub.Settings {
	patterns, _ := scrub.ParsePatterns("", c.Redaction.Patterns) // Validate has checked them
	return scrub.Settings{
		Bulky:             lifecycle.BulkyPayloadKeysBut(c.Payload.Include),
		Only:              c.Payload.Only,
		Patterns:          patterns,
		Sensitive:         c.Redaction.Keys,
		Mask:              c.Redaction.Mask,
		MaxValueBytes:     c.MaxValueBytes,
		MaxStructureBytes: c.MaxStructureBytes,
		MaxBacktraceLines: c.MaxBacktraceLines,
	}
}
