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

// Component is a configured component.
type Component struct {
	Section string
	ID      string // as written
	Key     string // such as processors::span_hierarchy
	Type    string // the current name of the type
	// Settings must not be changed.
	Settings map[string]any

	conf *confmap.Conf // the complete configuration
}

// Setting returns a scalar setting as text; empty if it is not set.
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

// Duration returns a duration; unset if it is not set. The error names the setting.
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

// Unmarshal unmarshals the settings into a Config that holds the defaults. The error names the component.
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

// UnmarshalValid unmarshals and validates the settings. The error joins all mistakes.
func (p Component) UnmarshalValid(into component.Config) error {
	if err := p.Unmarshal(into); err != nil {
		return err
	}
	if err := xconfmap.Validate(into); err != nil {
		return fmt.Errorf("%s:\n%w", p.Key, err)
	}
	return nil
}

// IDs lists component IDs for a message.
func IDs(components []Component) string {
	ids := make([]string, len(components))
	for i, p := range components {
		ids[i] = p.ID
	}
	return strings.Join(ids, ", ")
}
