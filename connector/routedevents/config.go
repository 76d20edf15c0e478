// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Values of log_body.
const (
	bodyMessage = "message"
	bodyJSON    = "json"
)

// Values of event_attributes.
const (
	attributesAll  = "all"
	attributesTree = "tree"
)

// Values of event_spans.
const (
	spansEach    = "each"
	spansBatched = "batched"
)

// Values of announcements.
const (
	announcementsOnce = "once"
	announcementsAll  = "all"
)

// Config of routed_events. Which signals an event becomes is event_router's decision.
type Config struct {
	// LogBody is what the body of a structured record is: message, a readable line with the rest in attributes; or json, one
	// line of JSON that holds everything.
	LogBody string `mapstructure:"log_body"`
	// EventAttributes are the attributes that an event span has: all; or tree, those that span_hierarchy reads, which costs
	// less where nothing else reads event spans.
	EventAttributes string `mapstructure:"event_attributes"`
	// EventSpans sets whether each event is a span, or all events of a request are in one span that only span_hierarchy can read:
	// each or batched.
	EventSpans string `mapstructure:"event_spans"`
	// Announcements sets whether a fact becomes one record, or each of the engine's announcements of it does: once or all.
	Announcements string `mapstructure:"announcements"`
	// Records are the facts that become records.
	Records []string `mapstructure:"records"`
	// MinSeverity is the least severity of a record.
	MinSeverity string `mapstructure:"min_severity"`
	// Deduplicate configures the recognition of facts that are reported again.
	Deduplicate DeduplicateConfig `mapstructure:"deduplicate"`
	// Storage is the extension that keeps which facts are recorded; without it they are lost with the process.
	Storage *component.ID `mapstructure:"storage"`
	// TrustReceived accepts spans received over the network as those of this collector's own components.
	TrustReceived bool `mapstructure:"trust_received"`

	_ struct{} // keyed literals only
}

// DeduplicateConfig configures the recognition of facts that are reported again.
type DeduplicateConfig struct {
	// MaxEntries is the largest number of facts remembered; at least half of it are.
	MaxEntries int `mapstructure:"max_entries"`
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() *Config {
	return &Config{
		LogBody:         bodyMessage,
		EventAttributes: attributesAll,
		EventSpans:      spansEach,
		Announcements:   announcementsOnce,
		Records:         lifecycle.Facts(),
		MinSeverity:     "trace",
		Deduplicate:     DeduplicateConfig{MaxEntries: 1_000_000},
	}
}

// Validate reports every mistake at once.
func (c *Config) Validate() error {
	mistakes := []error{
		configerr.OneOf("log_body", c.LogBody, bodyMessage, bodyJSON),
		configerr.OneOf("event_attributes", c.EventAttributes, attributesAll, attributesTree),
		configerr.OneOf("event_spans", c.EventSpans, spansEach, spansBatched),
		configerr.OneOf("announcements", c.Announcements, announcementsOnce, announcementsAll),
		configerr.AtLeast(configerr.Path("deduplicate", "max_entries"), c.Deduplicate.MaxEntries, 1000),
	}
	if _, known := severityNumber(c.MinSeverity); !known {
		mistakes = append(mistakes, configerr.New("min_severity", c.MinSeverity, "is not a severity", "use trace, debug, info, warn, error or fatal"))
	}
	facts := lifecycle.Facts()
	for i, fact := range c.Records {
		at := configerr.Index("records", i)
		if !slices.Contains(facts, fact) {
			mistakes = append(mistakes, configerr.New(at, fact, "is not a fact that is recorded once",
				fmt.Sprintf("use %s; for other events give their route in event_router the signal logs", configerr.List(facts))))
		} else if slices.Contains(c.Records[:i], fact) {
			mistakes = append(mistakes, configerr.New(at, fact, "is listed already", "remove one of the two"))
		}
	}
	if c.Storage != nil && c.Announcements == announcementsAll {
		mistakes = append(mistakes, configerr.New("storage", c.Storage.String(), fmt.Sprintf("has nothing to store, because announcements is %q", announcementsAll), "remove one of the two"))
	}
	return errors.Join(mistakes...)
}

// severityNumber returns the lowest number of an OpenTelemetry severity by name.
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
