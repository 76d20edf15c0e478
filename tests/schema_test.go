// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.yaml.in/yaml/v3"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents"
)

// schema is a config.schema.yaml, or a part of one.
type schema struct {
	Type       any                `yaml:"type"` // a string or a list of them
	Format     string             `yaml:"format"`
	Ref        string             `yaml:"$ref"`
	Defs       map[string]*schema `yaml:"$defs"`
	Properties map[string]*schema `yaml:"properties"`
	Items      *schema            `yaml:"items"`
	Additional *schema            `yaml:"additionalProperties"`
	AllOf      []*schema          `yaml:"allOf"`
}

// schemas caches files and resolves references.
type schemas struct {
	t     *testing.T
	files map[string]*schema
}

func (s *schemas) file(folder string) *schema {
	if known := s.files[folder]; known != nil {
		return known
	}
	text, err := os.ReadFile(filepath.Join("..", folder, "config.schema.yaml"))
	require.NoError(s.t, err)
	read := new(schema)
	require.NoError(s.t, yaml.Unmarshal(text, read))
	s.files[folder] = read
	return read
}

// follow resolves a reference of a schema in a folder; nil for the collector's own schemas.
func (s *schemas) follow(folder string, at *schema) (string, *schema) {
	if at.Ref == "" {
		return folder, at
	}
	if strings.HasPrefix(at.Ref, "go.opentelemetry.io/") {
		return "", nil
	}
	name := at.Ref
	if dot := strings.LastIndex(name, "."); dot > 0 { // of another package of this module
		if strings.HasPrefix(name, "/") {
			folder = name[1:dot]
		} else {
			folder = path.Join(folder, name[:dot])
		}
		name = name[dot+1:]
	}
	found := s.file(folder).Defs[name]
	require.NotNil(s.t, found, "%s: nothing is behind $ref: %s", folder, at.Ref)
	return folder, found
}

// covers compares a schema with the type of a setting, and returns the number of settings.
func (s *schemas) covers(folder, key string, at *schema, of reflect.Type) int {
	if !assert.NotNil(s.t, at, "%s has no schema", key) {
		return 0
	}
	folder, at = s.follow(folder, at)
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if at == nil {
		assert.Contains(s.t, of.PkgPath(), "go.opentelemetry.io/collector", key)
		return 1
	}
	want, format := "", ""
	switch kind := of.Kind(); {
	case of == reflect.TypeFor[time.Duration]():
		want, format = "string", "duration"
	case kind == reflect.String:
		want = "string"
	case kind == reflect.Bool:
		want = "boolean"
	case kind >= reflect.Int && kind <= reflect.Uint64:
		want = "integer"
	case kind == reflect.Float32 || kind == reflect.Float64:
		want = "number"
	case kind == reflect.Slice:
		want = "array"
	default:
		want = "object"
	}
	if several, ok := at.Type.([]any); ok {
		assert.Contains(s.t, several, want, key)
	} else {
		assert.Equal(s.t, want, at.Type, key)
	}
	assert.Equal(s.t, format, at.Format, key)
	settings := 1
	switch {
	case want == "array":
		settings += s.covers(folder, key+"[]", at.Items, of.Elem())
	case of.Kind() == reflect.Map:
		settings += s.covers(folder, key+"{}", at.Additional, of.Elem())
	case of.Kind() == reflect.Struct && strings.HasPrefix(of.Name(), "Optional["):
		value, ok := reflect.New(of).Type().MethodByName("Get")
		require.True(s.t, ok)
		settings += s.covers(folder, key, at, value.Type.Out(0))
	case of.Kind() == reflect.Struct:
		settings += s.coversFields(folder, key, at, of)
	}
	return settings
}

func (s *schemas) coversFields(folder, key string, at *schema, of reflect.Type) int {
	settings, squashed, left := 0, 0, maps.Clone(at.Properties)
	for field := range of.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case !field.IsExported():
		case options == "squash":
			if assert.Less(s.t, squashed, len(at.AllOf), "%s: %s", key, field.Name) {
				settings += s.covers(folder, key, at.AllOf[squashed], field.Type)
			}
			squashed++
		default:
			settings += s.covers(folder, key+"::"+name, at.Properties[name], field.Type)
			delete(left, name)
		}
	}
	assert.Empty(s.t, left, "%s: the schema has settings that are none", key)
	return settings
}

// TestConfigSchemas checks that config.schema.yaml of each component has exactly its settings, with their types.
func TestConfigSchemas(t *testing.T) {
	for folder, factory := range map[string]component.Factory{
		"receiver/taskerevents":   taskerevents.NewFactory(),
		"processor/eventrouter":   eventrouter.NewFactory(),
		"processor/spanhierarchy": spanhierarchy.NewFactory(),
		"connector/routedevents":  routedevents.NewFactory(),
		"connector/spantometrics": spantometrics.NewFactory(),
		"exporter/taskercsv":      taskercsv.NewFactory(),
	} {
		t.Run(folder, func(t *testing.T) {
			s := &schemas{t, map[string]*schema{}}
			settings := s.covers(folder, factory.Type().String(), s.file(folder), reflect.TypeOf(factory.CreateDefaultConfig()))
			assert.Greater(t, settings, 2)
		})
	}
}
