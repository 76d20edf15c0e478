// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv"
	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits"
	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents"
)

// ownComponents returns the factories of the distribution's own components, by section.
func ownComponents() map[string][]component.Factory {
	return map[string][]component.Factory{
		receivers:  {taskerevents.NewFactory()},
		processors: {eventrouter.NewFactory(), spanhierarchy.NewFactory()},
		connectors: {routedevents.NewFactory(), spantometrics.NewFactory()},
		exporters:  {taskercsv.NewFactory()},
		extensions: {otlplimits.NewFactory()},
	}
}

// checkKeys looks for unknown keys in the configuration and in the distribution's own components. The collector reports
// them too, but without the known keys.
func (c *checker) checkKeys(all map[string]any) {
	c.checkNames("", all, append(collectorconfig.Sections(), "service"))
	service := collectorconfig.Mapping(all["service"])
	c.checkNames("service", service, []string{"extensions", "pipelines", "telemetry"})
	for name, pipeline := range collectorconfig.Mapping(service["pipelines"]) {
		c.checkNames("service::pipelines::"+name, collectorconfig.Mapping(pipeline), []string{receivers, processors, exporters})
	}
	for section, factories := range ownComponents() {
		for _, factory := range factories {
			for _, p := range c.conf.Components[section] {
				if p.Type == factory.Type().String() {
					c.checkSettings(p.Key, p.Settings, reflect.TypeOf(factory.CreateDefaultConfig()))
				}
			}
		}
	}
}

// checkNames adds a finding for each unknown key.
func (c *checker) checkNames(at string, settings map[string]any, known []string) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if slices.Contains(known, key) {
			continue
		}
		remedy := "remove it, or write one of " + strings.Join(known, ", ")
		if meant, distance := configerr.Nearest(key, known); distance <= max(configerr.MaxTypos, len(key)/3) {
			remedy = "write " + meant
		}
		c.add(LevelError, strings.TrimPrefix(at+confmap.KeyDelimiter+key, confmap.KeyDelimiter), shown(key, settings[key]),
			"the setting does not exist, and the collector does not start", remedy)
	}
}

// shown returns a value for a message, with secrets masked.
func shown(key string, value any) string {
	switch value.(type) {
	case nil, map[string]any, []any:
		return ""
	}
	for _, part := range lifecycle.SensitiveKeyParts() {
		if strings.Contains(strings.ToLower(key), part) {
			return "[REDACTED]"
		}
	}
	return fmt.Sprint(value)
}

// checkSettings compares settings with the type into which they are unmarshaled.
func (c *checker) checkSettings(at string, value any, into reflect.Type) {
	into = plain(into)
	switch value := value.(type) {
	case map[string]any:
		switch into.Kind() {
		case reflect.Struct:
			fields, open := fieldsOf(into)
			if open {
				return
			}
			c.checkNames(at, value, slices.Sorted(maps.Keys(fields)))
			for key, field := range fields {
				c.checkSettings(at+confmap.KeyDelimiter+key, value[key], field)
			}
		case reflect.Map:
			for key := range value {
				c.checkSettings(at+confmap.KeyDelimiter+key, value[key], into.Elem())
			}
		}
	case []any:
		if into.Kind() != reflect.Slice {
			return
		}
		for i := range value {
			c.checkSettings(fmt.Sprintf("%s[%d]", at, i), value[i], into.Elem())
		}
	}
}

// plain returns the type inside a pointer or a configoptional.Optional.
func plain(t reflect.Type) reflect.Type {
	for {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
			continue
		}
		get, optional := reflect.PointerTo(t).MethodByName("Get")
		if t.PkgPath() != "go.opentelemetry.io/collector/config/configoptional" || !optional {
			return t
		}
		t = get.Type.Out(0).Elem()
	}
}

// fieldsOf returns the settings of a struct by key. An open struct accepts other keys too.
func fieldsOf(t reflect.Type) (fields map[string]reflect.Type, open bool) {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[confmap.Unmarshaler]()) {
		return nil, true
	}
	fields = map[string]reflect.Type{}
	for field := range t.Fields() {
		if !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case name == "-":
		case strings.Contains(options, "remain"):
			return nil, true
		case strings.Contains(options, "squash"):
			embedded, isOpen := fieldsOf(plain(field.Type))
			if isOpen {
				return nil, true
			}
			maps.Copy(fields, embedded)
		default:
			if name == "" {
				name = field.Name
			}
			fields[name] = field.Type
		}
	}
	return fields, false
}
