// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconfig

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Component is a component as it is configured.
type Component struct {
	Section string
	ID      string // as it is written
	Key     string // as in processors::span_hierarchy
	Type    string // under its present name
	// Settings must not be changed.
	Settings map[string]any

	conf *confmap.Conf // the whole configuration
}

// Setting returns the text of a setting, or "" where it is unset or not a scalar.
func (p Component) Setting(keys ...string) string {
	var value any = p.Settings
	for _, key := range keys {
		value = Mapping(value)[key]
	}
	switch value.(type) {
	case nil, map[string]any, []any:
		return ""
	}
	return fmt.Sprint(value)
}

// Duration returns a setting that is a duration, or unset where there is none. The error names the setting.
func (p Component) Duration(key string, unset time.Duration) (time.Duration, error) {
	text := p.Setting(key)
	if text == "" {
		return unset, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, configerr.New(p.SettingKey(key), text, "is not a duration", "use one such as 24h")
	}
	return d, nil
}

// SettingKey returns the full key of a setting.
func (p Component) SettingKey(keys ...string) string {
	return p.Key + confmap.KeyDelimiter + strings.Join(keys, confmap.KeyDelimiter)
}

// Unmarshal reads the settings over the defaults that are in the Config. The error names the component.
func (p Component) Unmarshal(into component.Config) error {
	section, err := p.conf.Sub(p.Key)
	if err == nil {
		err = section.Unmarshal(into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.Key, err)
	}
	return nil
}

// UnmarshalValid reads the settings as Unmarshal does and validates them. The error joins all mistakes.
func (p Component) UnmarshalValid(into component.Config) error {
	if err := p.Unmarshal(into); err != nil {
		return err
	}
	if err := xconfmap.Validate(into); err != nil {
		return fmt.Errorf("%s:\n%w", p.Key, err)
	}
	return nil
}

// IDs lists the ids of components for a message.
func IDs(components []Component) string {
	ids := make([]string, len(components))
	for i, p := range components {
		ids[i] = p.ID
	}
	return strings.Join(ids, ", ")
}
