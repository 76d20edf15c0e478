// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
)

// Findings about extensions of the wrong kind.
var (
	storesNothing       = []string{"basicauth", "bearertokenauth", "healthcheckv2", "pprof", "tasker_pages", "zpages"}
	authenticatesNobody = []string{"file_storage", "healthcheckv2", "pprof", "tasker_pages", "zpages"}
)

// checkReferences looks for settings that refer to missing extensions.
func (c *checker) checkReferences() {
	for _, p := range c.conf.Used() {
		c.walk(p.Key, p.Settings)
	}
}

func (c *checker) walk(key string, settings map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		at := key + confmap.KeyDelimiter + name
		switch value := settings[name].(type) {
		case map[string]any:
			c.walk(at, value)
		case []any:
			for i, element := range value {
				if name == "middlewares" {
					if id, ok := collectorconfig.Mapping(element)["id"].(string); ok {
						c.refer(fmt.Sprintf("%s[%d]::id", at, i), id, nil, "")
					}
					continue
				}
				c.walk(fmt.Sprintf("%s[%d]", at, i), collectorconfig.Mapping(element))
			}
		case string:
			switch name {
			case "storage":
				c.refer(at, value, storesNothing, "that extension stores nothing")
			case "authenticator":
				c.refer(at, value, authenticatesNobody, "that extension authenticates nobody")
			}
		}
	}
}

func (c *checker) refer(key, value string, useless []string, why string) {
	id := collectorconfig.ParseID(value)
	extension, defined := c.conf.Components[extensions][id]
	switch {
	case id == "":
	case !defined:
		c.add(LevelError, key, value, "the extension does not exist, and the collector does not start",
			"define it under extensions and add it to service::extensions, or use an existing one")
	case !slices.Contains(c.conf.Enabled, id):
		c.add(LevelError, key, value, "the extension is defined, but it is not in service::extensions, and the collector does not start",
			"add "+id+" to service::extensions; a later file replaces the whole list")
	case slices.Contains(useless, extension.Type):
		c.add(LevelError, key, value, why+", and the collector does not start", "use another one")
	}
}

// checkUnusedExtensions looks for defined extensions that are not enabled and not referred to; the latter are errors.
func (c *checker) checkUnusedExtensions() {
	for id, extension := range c.conf.Components[extensions] {
		named := slices.ContainsFunc(c.findings, func(f Finding) bool { return collectorconfig.ParseID(f.Value) == id })
		if !slices.Contains(c.conf.Enabled, id) && !named {
			c.add(LevelWarning, extension.Key, id, "it is not in service::extensions and has no effect",
				"add it to service::extensions, or remove it; a later file replaces the whole list")
		}
	}
}

// checkOldNames looks for former type names.
func (c *checker) checkOldNames() {
	for _, p := range c.conf.Used() {
		written := collectorconfig.TypeOf(p.ID)
		if current, found := collectorconfig.FormerType(written); found {
			c.add(LevelWarning, p.Key, written, "the type has been renamed, and this name will be removed", "write "+current)
		}
	}
}
