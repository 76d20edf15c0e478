package check

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
	receivers  = "receivers"
	processors = "processors"
	exporters  = "exporters"
	connectors = "connectors"
	extensions = "extensions"
)

// part is a component as it is configured.
type part struct {
	key      string // as in processors::span_hierarchy
	kind     string // its type, under its present name
	settings map[string]any
}

// pipeline is one of the service.
type pipeline struct {
	key                              string // as in service::pipelines::traces
	signal                           string
	receivers, processors, exporters []string
}

// configuration is what the checks look at, and what they have found.
type configuration struct {
	parts     map[string]map[string]part // by section and id
	pipelines []pipeline
	enabled   []string // the extensions of the service
	findings  []Finding
}

// formerNames are those under which the distribution's components may still be configured.
var formerNames = map[string]string{
	"taskerevents": "tasker_events", "eventrouter": "event_router", "routedevents": "routed_events",
	"spanhierarchy": "span_hierarchy", "spantometrics": "span_to_metrics", "taskercsv": "tasker_csv",
	"otlphttp": "otlp_http", "prometheusremotewrite": "prometheus_remote_write",
}

func read(conf *confmap.Conf) *configuration {
	all := conf.ToStringMap()
	c := &configuration{parts: map[string]map[string]part{}}
	for _, section := range []string{receivers, processors, exporters, connectors, extensions} {
		c.parts[section] = map[string]part{}
		for id, settings := range mapping(all[section]) {
			kind := kindOf(id)
			if current, found := formerNames[kind]; found {
				kind = current
			} else if section == exporters && kind == "otlp" {
				kind = "otlp_grpc"
			}
			c.parts[section][normal(id)] = part{section + confmap.KeyDelimiter + id, kind, mapping(settings)}
		}
	}
	service := mapping(all["service"])
	c.enabled = ids(service["extensions"])
	pipelines := mapping(service["pipelines"])
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		of := mapping(pipelines[name])
		c.pipelines = append(c.pipelines, pipeline{
			key: "service::pipelines::" + name, signal: kindOf(name),
			receivers: ids(of[receivers]), processors: ids(of[processors]), exporters: ids(of[exporters]),
		})
	}
	return c
}

func mapping(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

// normal is an id as the collector reads it.
func normal(id string) string {
	var parsed component.ID
	if parsed.UnmarshalText([]byte(id)) != nil {
		return id // the collector's own to complain of
	}
	return parsed.String()
}

func kindOf(id string) string {
	kind, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(kind)
}

func ids(value any) []string {
	list, _ := value.([]any)
	all := make([]string, 0, len(list))
	for _, id := range list {
		all = append(all, normal(fmt.Sprint(id)))
	}
	return all
}

// find is the first of the components that is of a type, in the section or among the connectors.
func (c *configuration) find(section string, among []string, kind string) (part, bool) {
	for _, id := range among {
		if p := c.part(section, id); p.kind == kind {
			return p, true
		}
	}
	return part{}, false
}

func (c *configuration) has(section string, among []string, kind string) bool {
	_, found := c.find(section, among, kind)
	return found
}

func (c *configuration) part(section, id string) part {
	if p, found := c.parts[section][id]; found {
		return p
	}
	return c.parts[connectors][id]
}

// used are the components that the collector starts, in the order of their keys.
func (c *configuration) used() []part {
	byKey := map[string]part{}
	add := func(section string, among []string) {
		for _, id := range among {
			if p := c.part(section, id); p.key != "" {
				byKey[p.key] = p
			}
		}
	}
	for _, p := range c.pipelines {
		add(receivers, p.receivers)
		add(processors, p.processors)
		add(exporters, p.exporters)
	}
	add(extensions, c.enabled)
	used := make([]part, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		used = append(used, byKey[key])
	}
	return used
}

// setting is a text of a component's settings, empty where there is none.
func (p part) setting(keys ...string) string {
	var value any = p.settings
	for _, key := range keys {
		value = mapping(value)[key]
	}
	switch value.(type) {
	case nil, map[string]any, []any:
		return ""
	}
	return fmt.Sprint(value)
}

func (p part) settingKey(keys ...string) string {
	return p.key + confmap.KeyDelimiter + strings.Join(keys, confmap.KeyDelimiter)
}
