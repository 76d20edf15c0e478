// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	_ "embed"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/confmap"
)

//go:embed builtin.yaml
var builtInYAML []byte

// BuiltIn returns the built-in metrics by name. The map must not be changed.
func BuiltIn() map[string]MetricConfig { return builtIn() }

var builtIn = sync.OnceValue(func() map[string]MetricConfig {
	declared, err := parseMetrics(builtInYAML)
	if err != nil {
		panic(fmt.Sprintf("the embedded builtin.yaml is invalid: %v", err))
	}
	return declared
})

func parseMetrics(text []byte) (map[string]MetricConfig, error) {
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return nil, err
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return nil, err
	}
	declared := map[string]MetricConfig{}
	return declared, conf.Unmarshal(&declared)
}
