// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// What the body of a structured record is.
const (
	bodyMessage = "message"
	bodyJSON    = "json"
)

// Which attributes of an event its span has.
const (
	attributesAll  = "all"
	attributesTree = "tree"
)

// What becomes of the engine's announcements of one fact.
const (
	announcementsOnce = "once"
	announcementsAll  = "all"
)

// Config of routed_events. What becomes of an event is not here: it is event_router's decision.
type Config struct {
	// LogBody is what the body of a structured record is: message, a readable line with the rest in attributes; or json, one
	// line of JSON that holds everything.
	LogBody string `mapstructure:"log_body"`
	// EventAttributes are the attributes that an event span has: all; or tree, those that span_hierarchy reads, which costs
	// less where nothing else reads event spans.
	EventAttributes string `mapstructure:"event_attributes"`
	// Announcements says whether a fact is one record, or each of the engine's announcements of it: once or all.
	Announcements string `mapstructure:"announcements"`
	// Records are the facts that become records.
	Records []string `mapstructure:"records"`
	// MinSeverity is the least severity of a record.
	MinSeverity string `mapstructure:"min_severity"`
	// Deduplicate is about facts that are reported again.
	Deduplicate DeduplicateConfig `mapstructure:"deduplicate"`
	// Storage is the extension that keeps which facts are recorded; without one that ends with the process.
	Storage *component.ID `mapstructure:"storage"`
	// TrustReceived takes spans that were received over the network for those of this collector's own components.
	TrustReceived bool `mapstructure:"trust_received"`

	_ struct{} // keyed literals only
}

// DeduplicateConfig is about facts that are reported again.
type DeduplicateConfig struct {
	// MaxEntries is how many facts are remembered at most, and half of that at least.
	MaxEntries int `mapstructure:"max_entries"`
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() *Config {
	return &Config{
		LogBody:         bodyMessage,
		EventAttributes: attributesAll,
		Announcements:   announcementsOnce,
		Records:         lifecycle.Facts(),
		MinSeverity:     "trace",
		Deduplicate:     DeduplicateConfig{MaxEntries: 1_000_000},
	}
}

// Validate names every mistake.
func (c *Config) Validate() error {
	var errs []error
	if c.LogBody != bodyMessage && c.LogBody != bodyJSON {
		errs = append(errs, fmt.Errorf("log_body: %q is no form of a record: use %s or %s", c.LogBody, bodyMessage, bodyJSON))
	}
	if c.EventAttributes != attributesAll && c.EventAttributes != attributesTree {
		errs = append(errs, fmt.Errorf("event_attributes: %q is no set of attributes: use %s or %s", c.EventAttributes, attributesAll, attributesTree))
	}
	if c.Announcements != announcementsOnce && c.Announcements != announcementsAll {
		errs = append(errs, fmt.Errorf("announcements: %q is neither: use %s, for one record a fact, or %s, for one record an announcement",
			c.Announcements, announcementsOnce, announcementsAll))
	}
	if _, known := severityNumber(c.MinSeverity); !known {
		errs = append(errs, fmt.Errorf("min_severity: %q is no severity: use trace, debug, info, warn, error or fatal", c.MinSeverity))
	}
	for i, fact := range c.Records {
		if facts := lifecycle.Facts(); !slices.Contains(facts, fact) {
			errs = append(errs, fmt.Errorf("records[%d]: %q is no fact that is recorded once: use one of %s; for other events give their route in event_router the signal logs",
				i, fact, strings.Join(facts, ", ")))
		} else if slices.Contains(c.Records[:i], fact) {
			errs = append(errs, fmt.Errorf("records[%d]: %q is there twice: remove one", i, fact))
		}
	}
	if least := 1000; c.Deduplicate.MaxEntries < least {
		errs = append(errs, fmt.Errorf("deduplicate.max_entries: %d is too small: use at least %d", c.Deduplicate.MaxEntries, least))
	}
	if c.Storage != nil && c.Announcements == announcementsAll {
		errs = append(errs, fmt.Errorf("storage: %q has nothing to keep, because announcements is %s: remove one of the two", c.Storage, announcementsAll))
	}
	return errors.Join(errs...)
}

// severityNumber is the least number of a severity of OpenTelemetry, by its name.
func severityNumber(name string) (number plog.SeverityNumber, known bool) {
	switch name {
	case "trace":
		return plog.SeverityNumberTrace, true
	case "debug":
		return plog.SeverityNumberDebug, true
	case "info":
		return plog.SeverityNumberInfo, true
	case "warn":
		return plog.SeverityNumberWarn, true
	case "error":
		return plog.SeverityNumberError, true
	case "fatal":
		return plog.SeverityNumberFatal, true
	}
	return 0, false
}
