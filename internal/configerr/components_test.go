// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package configerr_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv"
	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits"
	"github.com/tasker-otel/otelcol-tasker/extension/taskerpages"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents"
)

// components are all components with settings.
var components = map[string]func() component.Config{
	"tasker_events":   taskerevents.NewFactory().CreateDefaultConfig,
	"event_router":    eventrouter.NewFactory().CreateDefaultConfig,
	"span_hierarchy":  spanhierarchy.NewFactory().CreateDefaultConfig,
	"span_to_metrics": spantometrics.NewFactory().CreateDefaultConfig,
	"routed_events":   routedevents.NewFactory().CreateDefaultConfig,
	"tasker_csv":      taskercsv.NewFactory().CreateDefaultConfig,
	"tasker_pages":    taskerpages.NewFactory().CreateDefaultConfig,
	"otlp_limits":     otlplimits.NewFactory().CreateDefaultConfig,
}

// TestEveryComponent sets every setting to an invalid value: all mistakes are reported at once, each with the key of a
// setting, what is wrong, and a remedy.
func TestEveryComponent(t *testing.T) {
	for name, create := range components {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, create().(confmap.Validator).Validate(), "defaults")
			for _, nonsense := range []nonsense{{-1, ""}, {0, "?"}, {3, "no such"}, {1 << 40, "a b,"}} {
				cfg := create()
				nonsense.write(reflect.ValueOf(cfg).Elem(), 0)
				found := mistakes(cfg.(confmap.Validator).Validate())
				require.NotEmpty(t, found, "%+v", nonsense)
				for _, err := range found {
					check(t, reflect.TypeOf(cfg), err)
				}
			}
		})
	}
}

// mistakes returns the joined errors.
func mistakes(err error) []error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, mistakes(one)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

var (
	key      = regexp.MustCompile(`^[a-z0-9_]+(\[\d+\])?(::[^:"']+)*$`)
	sentence = regexp.MustCompile(`^[a-z][^;]*[^.:; ]$`)
	index    = regexp.MustCompile(`\[\d+\]`)
)

func check(t *testing.T, config reflect.Type, err error) {
	t.Helper()
	var mistake *configerr.Mistake
	if !assert.ErrorAs(t, err, &mistake) {
		return
	}
	assert.Regexp(t, key, mistake.Key, err)
	assert.Regexp(t, sentence, mistake.Wrong, err)
	assert.NotContains(t, mistake.Wrong, ": ", err)
	assert.Regexp(t, `^(use|remove|add|keep|write|rename|sort|swap|leave|move|define|follow|change) `, mistake.Remedy+" ", err)
	assert.True(t, has(config, strings.Split(index.ReplaceAllString(mistake.Key, ""), confmap.KeyDelimiter)), "there is no setting %s", mistake.Key)
}

// has reports whether a path is the key of a setting.
func has(config reflect.Type, path []string) bool {
	for config.Kind() == reflect.Pointer || config.Kind() == reflect.Slice {
		config = config.Elem()
	}
	if len(path) == 0 {
		return true
	}
	switch config.Kind() {
	case reflect.Map:
		return has(config.Elem(), path[1:])
	case reflect.Struct:
		if strings.HasPrefix(config.Name(), "Optional[") {
			field, found := config.FieldByName("value")
			return found && has(field.Type, path)
		}
		for i := range config.NumField() {
			field := config.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
			if options == "squash" && has(field.Type, path) || name == path[0] && has(field.Type, path[1:]) {
				return true
			}
		}
	}
	return false
}

// nonsense holds invalid values for settings of each type.
type nonsense struct {
	number int64
	text   string
}

func (n nonsense) write(v reflect.Value, depth int) {
	if !v.CanSet() || depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		v.SetInt(n.number)
	case reflect.Float64:
		v.SetFloat(float64(n.number))
	case reflect.String:
		v.SetString(n.text)
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), 2, 2)
		for i := range 2 {
			n.write(list.Index(i), depth+1)
		}
		v.Set(list)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		n.write(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		if v.Type().Key().Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf("a name").Convert(v.Type().Key()), value)
		}
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*component.ID]() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		n.write(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			n.write(v.Field(i), depth+1)
		}
	}
}
