// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents"
)

// settingRow matches a row of a table of settings: the keys, and their default.
var (
	settingRow = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([^|]*) \\|")
	quotedKey  = regexp.MustCompile("`([^`]+)`")
)

// TestSettingsTables checks that the README of each component that processes events has a row for each setting, with the
// correct default.
func TestSettingsTables(t *testing.T) {
	for folder, factory := range map[string]component.Factory{
		"receiver/taskerevents":   taskerevents.NewFactory(),
		"processor/eventrouter":   eventrouter.NewFactory(),
		"processor/spanhierarchy": spanhierarchy.NewFactory(),
		"connector/routedevents":  routedevents.NewFactory(),
	} {
		t.Run(folder, func(t *testing.T) {
			page, err := os.ReadFile(filepath.Join("..", folder, "README.md"))
			require.NoError(t, err)
			_, text, found := strings.Cut(string(page), "\n## Settings\n")
			require.True(t, found)
			text, _, _ = strings.Cut(text, "\n## ")
			defaults := confmap.New()
			require.NoError(t, defaults.Marshal(factory.CreateDefaultConfig()))
			documented := map[string]bool{}
			for _, row := range settingRow.FindAllStringSubmatch(text, -1) {
				first := ""
				for _, key := range quotedKey.FindAllStringSubmatch(row[1], -1) {
					path := key[1]
					if strings.HasPrefix(path, "::") { // shedding::low, ::normal
						path = first[:strings.LastIndex(first, "::")] + path
					}
					first = path
					documented[path] = true
					if strings.TrimSpace(row[2]) != "" && !strings.Contains(path, "[]") && defaults.IsSet(path) {
						assert.Equal(t, defaultText(defaults.Get(path)), documentedDefault(row[2]), "%s: %s", folder, path)
					}
				}
			}
			for _, key := range slices.Sorted(maps.Keys(defaults.ToStringMap())) {
				if folder == "receiver/taskerevents" && isServerSetting(key) {
					continue // the README links to the page of confighttp
				}
				known := slices.ContainsFunc(slices.Collect(maps.Keys(documented)), func(path string) bool {
					return path == key || strings.HasPrefix(path, key+"::") || strings.HasPrefix(path, key+"[]")
				})
				assert.True(t, known, "%s has no row for %s", folder, key)
			}
		})
	}
}

// isServerSetting reports whether a setting is one of every HTTP server.
func isServerSetting(key string) bool {
	server := confmap.New()
	config := confighttp.NewDefaultServerConfig()
	if err := server.Marshal(&config); err != nil {
		return false
	}
	return server.IsSet(key)
}

// defaultText returns a default in the form of a table cell.
func defaultText(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return "none"
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return "none"
		}
		if v.Kind() == reflect.Slice {
			var all []string
			for i := range v.Len() {
				all = append(all, fmt.Sprint(v.Index(i)))
			}
			return strings.Join(all, ", ")
		}
	}
	if text := fmt.Sprint(value); text != "" {
		return plainDuration(text)
	}
	return "none"
}

// documentedDefault returns the content of a cell in the form of defaultText.
func documentedDefault(cell string) string {
	switch text := strings.Trim(strings.ReplaceAll(cell, "`", ""), " "); text {
	case "[]", "{}", `""`:
		return "none"
	default:
		return plainDuration(text)
	}
}

// plainDuration normalizes durations, and leaves other texts unchanged.
func plainDuration(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return d.String()
	}
	return text
}
