// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// keysTo returns settings for every struct of a type, each with an unknown key in it.
func keysTo(t reflect.Type) (all []map[string]any) {
	switch t = plain(t); t.Kind() {
	case reflect.Struct:
		fields, open := fieldsOf(t)
		if open {
			return nil
		}
		all = append(all, map[string]any{"no_such": "x"})
		for key, field := range fields {
			for _, deeper := range keysTo(field) {
				value := any(deeper)
				if plain(field).Kind() == reflect.Slice {
					value = []any{deeper}
				}
				all = append(all, map[string]any{key: value})
			}
		}
	case reflect.Slice:
		return keysTo(t.Elem())
	case reflect.Map:
		for _, deeper := range keysTo(t.Elem()) {
			all = append(all, map[string]any{"a": deeper})
		}
	}
	return all
}

// The check finds exactly the unknown keys that the collector rejects, at every place of every component.
func TestKeysAreThoseOfTheCollector(t *testing.T) {
	for section, factories := range ownComponents() {
		for _, factory := range factories {
			into := reflect.TypeOf(factory.CreateDefaultConfig())
			places := keysTo(into)
			require.NotEmpty(t, places)
			for _, settings := range places {
				err := confmap.NewFromStringMap(settings).Unmarshal(factory.CreateDefaultConfig())
				require.ErrorContains(t, err, "invalid keys: no_such", settings)
				var c checker
				c.checkSettings(section, settings, into)
				require.Len(t, c.findings, 1, settings)
				require.True(t, strings.HasSuffix(c.findings[0].Key, "::no_such"), c.findings[0].Key)
			}

			whole := confmap.New()
			require.NoError(t, whole.Marshal(factory.CreateDefaultConfig()))
			var c checker
			c.checkSettings(section, whole.ToStringMap(), into)
			require.Empty(t, c.findings, factory.Type())
		}
	}
}

func TestNearestKeyIsNamed(t *testing.T) {
	for key, want := range map[string]string{
		"storge":       "write storage",
		"sampling_rat": "write sampling_rate",
		"completely":   "remove it, or write one of sampling_rate, storage",
	} {
		var c checker
		c.checkNames("processors::event_router", map[string]any{key: 1}, []string{"sampling_rate", "storage"})
		require.Equal(t, []Finding{{LevelError, "processors::event_router::" + key, "1",
			"the setting does not exist, and the collector does not start", want}}, c.findings)
	}
}
