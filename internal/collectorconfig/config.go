// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package collectorconfig reads a collector's configuration without starting it: the components, under the current names of
// their types, and the pipelines.
//
// A Config is immutable and safe for concurrent use.
package collectorconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// The sections of components.
const (
	Receivers  = "receivers"
	Processors = "processors"
	Exporters  = "exporters"
	Connectors = "connectors"
	Extensions = "extensions"
)

// Sections returns the sections of components.
func Sections() []string { return []string{Receivers, Processors, Exporters, Connectors, Extensions} }

// Config is the configuration of a collector.
type Config struct {
	// Components are keyed by section and normalized ID.
	Components map[string]map[string]Component
	// Pipelines of the service, sorted by name.
	Pipelines []Pipeline
	// Enabled are the IDs of the service's extensions.
	Enabled []string
}

// Pipeline is a pipeline of the service, with component IDs.
type Pipeline struct {
	Key                              string // such as service::pipelines::traces
	Signal                           string
	Receivers, Processors, Exporters []string
}

// formerTypes maps accepted former names of types to current ones.
var formerTypes = map[string]string{
	"taskerevents": "tasker_events", "eventrouter": "event_router", "routedevents": "routed_events",
	"spanhierarchy": "span_hierarchy", "spantometrics": "span_to_metrics", "taskercsv": "tasker_csv",
	"otlphttp": "otlp_http", "prometheusremotewrite": "prometheus_remote_write",
}

// FormerType returns the current name of a type written under a former one.
func FormerType(written string) (present string, found bool) {
	present, found = formerTypes[written]
	return present, found
}

// New reads a merged configuration. Invalid parts are omitted or kept as written; the collector reports them.
func New(conf *confmap.Conf) *Config {
	all := conf.ToStringMap()
	c := &Config{Components: map[string]map[string]Component{}}
	for _, section := range Sections() {
		c.Components[section] = map[string]Component{}
		for id, settings := range Mapping(all[section]) {
			c.Components[section][ParseID(id)] = Component{
				Section: section, ID: id, Key: section + confmap.KeyDelimiter + id, Type: presentType(section, TypeOf(id)),
				Settings: Mapping(settings), conf: conf,
			}
		}
	}
	service := Mapping(all["service"])
	c.Enabled = ids(service["extensions"])
	pipelines := Mapping(service["pipelines"])
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		of := Mapping(pipelines[name])
		c.Pipelines = append(c.Pipelines, Pipeline{
			Key: "service::pipelines::" + name, Signal: TypeOf(name),
			Receivers: ids(of[Receivers]), Processors: ids(of[Processors]), Exporters: ids(of[Exporters]),
		})
	}
	return c
}

// presentType returns the current name of a type. "otlp" is a former name of an exporter only: the receiver is still named
// otlp.
func presentType(section, written string) string {
	if present, found := FormerType(written); found {
		return present
	}
	if section == Exporters && written == "otlp" {
		return "otlp_grpc"
	}
	return written
}

// Component returns the component with an ID in a section or among the connectors, or the zero Component.
func (c *Config) Component(section, id string) Component {
	if p, found := c.Components[section][id]; found {
		return p
	}
	return c.Components[Connectors][id]
}

// OfType returns the components of a type in a section, sorted by key.
func (c *Config) OfType(section, typ string) []Component {
	var found []Component
	for _, id := range slices.Sorted(maps.Keys(c.Components[section])) {
		if p := c.Components[section][id]; p.Type == typ {
			found = append(found, p)
		}
	}
	return found
}

// Has reports whether one of the IDs, in the section or among the connectors, is of a type.
func (c *Config) Has(section string, among []string, typ string) bool {
	return slices.ContainsFunc(among, func(id string) bool { return c.Component(section, id).Type == typ })
}

// Used returns the components that the collector starts, sorted by key.
func (c *Config) Used() []Component {
	byKey := map[string]Component{}
	add := func(section string, among []string) {
		for _, id := range among {
			if p := c.Component(section, id); p.Key != "" {
				byKey[p.Key] = p
			}
		}
	}
	for _, p := range c.Pipelines {
		add(Receivers, p.Receivers)
		add(Processors, p.Processors)
		add(Exporters, p.Exporters)
	}
	add(Extensions, c.Enabled)
	used := make([]Component, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		used = append(used, byKey[key])
	}
	return used
}

// Mapping returns a value as a mapping; nil if it is none.
func Mapping(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

// ParseID returns an ID as the collector reads it, without spaces around its parts.
func ParseID(id string) string {
	var parsed component.ID
	if parsed.UnmarshalText([]byte(id)) != nil {
		return id // the collector reports it
	}
	return parsed.String()
}

// TypeOf returns the type in an ID, as written.
func TypeOf(id string) string {
	typ, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(typ)
}

func ids(value any) []string {
	list, _ := value.([]any)
	all := make([]string, 0, len(list))
	for _, id := range list {
		all = append(all, ParseID(fmt.Sprint(id)))
	}
	return all
}
